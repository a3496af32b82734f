import { describe, expect, it } from "vitest";
import type { PoolEvent } from "../src/index.ts";
import { EventRecorder, judged, ok } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("events", () => {
  it("tell the whole life of a first request", async () => {
    const { pool, connector, clock, recorder } = scriptedPool();
    connector.onConnect.next({ kind: "after", delayMs: 250, next: ok() });
    const request = outcomeOf(pool.request("tools/call", { name: "echo" }));
    await clock.advance(250);
    await pool.close();
    const source = { serverName: "files", identity: undefined, poolName: "files" };
    expect(recorder.events).toEqual([
      { ...source, type: "acquire-queued", waiting: 1 },
      { ...source, type: "connection-opened", connectionId: 1, durationMs: 250, endpoint: { transport: "in-memory" } },
      {
        ...source,
        type: "request-finished",
        connectionId: 1,
        method: "tools/call",
        target: "echo",
        durationMs: 0,
        waitMs: 250,
        isHit: false,
        judgement: "ok",
        isToolError: false,
        error: undefined,
      },
      {
        ...source,
        type: "connection-closed",
        connectionId: 1,
        reason: "pool-closed",
        ageMs: 0,
        uses: 1,
        cause: undefined,
      },
      { ...source, type: "pool-closed" },
    ]);
    expect(request.state).toBe("resolved");
  });

  it("tell of a tool error, and of a request served at once", async () => {
    const { pool, connector, recorder } = scriptedPool();
    await pool.request("ping");
    connector.onRequest.next(ok({ content: [], isError: true }));
    await pool.request("tools/call", { name: "echo" });
    expect(recorder.of("request-finished").at(-1)).toMatchObject({
      isHit: true,
      waitMs: 0,
      isToolError: true,
      judgement: "ok",
    });
  });

  it("hand on what servers announce", async () => {
    const { pool, connector, recorder } = scriptedPool();
    await pool.request("ping");
    const notification = { method: "notifications/message", params: { level: "info" } };
    connector.connection(1).notify(notification);
    expect(recorder.of("notification-received")).toMatchObject([{ connectionId: 1, notification }]);
  });

  it("go to those who want their type only", async () => {
    const { pool } = scriptedPool();
    const types: string[] = [];
    pool.subscribe(({ type }) => types.push(type), ["connection-opened", "pool-closed"]);
    await pool.request("ping");
    await pool.close();
    expect(types).toEqual(["connection-opened", "pool-closed"]);
  });

  it("end with the subscription, for each listener on its own", async () => {
    const { pool } = scriptedPool();
    const seen: PoolEvent[] = [];
    const listener = (event: PoolEvent) => void seen.push(event);
    const first = pool.subscribe(listener);
    pool.subscribe(listener);
    first();
    first();
    (await pool.acquire()).release();
    expect(seen.map(({ type }) => type)).toEqual([
      "acquire-queued",
      "connection-opened",
      "lease-acquired",
      "lease-released",
    ]);
  });

  it("find the pool in order: a listener may call it at any time", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 2 });
    const totals: string[] = [];
    pool.subscribe(
      ({ type }) => {
        const { inFlight, connections } = pool.stats();
        totals.push(`${type} ${inFlight} ${connections.total}`);
        pool.tryAcquire()?.release();
      },
      ["connection-opened", "connection-closed", "lease-acquired"],
    );
    const lease = await pool.acquire();
    lease.discard();
    await clock.settle();
    expect(totals[0]).toBe("connection-opened 0 1");
    expect(totals.at(-1)).toBe("connection-closed 0 0");
  });

  it("are hurt by no listener that throws: it is reported, and everything goes on", async () => {
    const { pool, connector, recorder, clock } = scriptedPool();
    const error = new Error("a listener's bug");
    pool.subscribe(() => {
      throw error;
    });
    const after = new EventRecorder(pool);
    await pool.request("ping");
    connector.onRequest.next(judged("not-sent"));
    await expect(pool.request("ping")).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    await clock.settle();
    const told = (types: readonly string[]) => types.filter((type) => type !== "listener-failed");
    expect(told(recorder.types)).toEqual([
      "acquire-queued",
      "connection-opened",
      "request-finished",
      "connection-retired",
      "request-finished",
      "connection-closed",
    ]);
    expect(told(after.types)).toEqual(told(recorder.types));
    expect(recorder.of("listener-failed").every((event) => event.error === error)).toBe(true);
    expect(recorder.of("listener-failed").length).toBe(told(recorder.types).length);
  });
});
