import { describe, expect, it } from "vitest";
import type { PoolEvent, PoolPlugin } from "../src/index.ts";
import { EventRecorder, fail, hang, judged, ok } from "../src/testing/index.ts";
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
      {
        ...source,
        type: "connection-opened",
        connectionId: 1,
        durationMs: 250,
        endpoint: { transport: "in-memory" },
        era: "legacy",
        protocolVersion: undefined,
      },
      {
        ...source,
        type: "request-finished",
        connectionId: 1,
        method: "tools/call",
        target: "echo",
        durationMs: 0,
        waitMs: 250,
        isHit: false,
        hasOwnRoom: true,
        judgement: "ok",
        isToolError: false,
        error: undefined,
      },
      {
        ...source,
        type: "request-settled",
        method: "tools/call",
        target: "echo",
        durationMs: 250,
        isToolError: false,
        isAborted: false,
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

  it("tell how a request ended for its caller: once, after all attempts, and also without any", async () => {
    const again: PoolPlugin = {
      name: "again",
      install: () => ({ request: (next) => (request) => next(request).catch(() => next(request)) }),
    };
    const { pool, connector, recorder, clock } = scriptedPool({ plugins: [again] });
    connector.onRequest.next(judged("not-sent"), ok({ content: [], isError: true }));
    outcomeOf(pool.request("tools/call", { name: "echo" }));
    await clock.advance(10_000);
    connector.onRequest.next(judged("not-sent"), judged("not-sent"));
    const lost = outcomeOf(pool.request("ping"));
    await clock.advance(10_000);
    connector.onConnect.always(fail(new Error("refused")));
    outcomeOf(pool.request("tools/list"));
    await clock.advance(40_000);
    const controller = new AbortController();
    outcomeOf(pool.request("ping", {}, { signal: controller.signal }));
    controller.abort("enough");
    await clock.settle();
    expect(recorder.of("request-settled")).toMatchObject([
      { method: "tools/call", target: "echo", isToolError: true, error: undefined },
      { method: "ping", target: undefined, isToolError: false, error: lost.error },
      { method: "tools/list", isToolError: false, isAborted: false, error: { code: "CONNECTION_FAILED" } },
      { method: "ping", isAborted: true, error: "enough" },
    ]);
    expect(recorder.of("request-finished").map(({ method }) => method)).toEqual([
      "tools/call",
      "tools/call",
      "ping",
      "ping",
    ]);
  });

  it("tell which requests took room of their own, and what it was that got no connection", async () => {
    const { pool, recorder } = exclusivePool({ maxConnections: 1, maxWaiting: 1 });
    const lease = await pool.acquire();
    await lease.request("ping");
    const next = pool.request("ping");
    await expect(pool.acquire()).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    await expect(pool.request("ping")).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    lease.release();
    await next;
    expect(recorder.of("request-finished").map(({ hasOwnRoom }) => hasOwnRoom)).toEqual([false, true]);
    expect(recorder.of("acquire-failed").map(({ kind }) => kind)).toEqual(["acquire", "request"]);
  });

  it("end with pool-closed: a request that the close has ended tells nothing after it", async () => {
    const { pool, connector, recorder, clock } = scriptedPool();
    connector.onRequest.next(hang());
    const request = outcomeOf(pool.request("ping"));
    await clock.settle();
    const closing = pool.close({ drainTimeoutMs: 0 });
    await clock.settle();
    await closing;
    expect(request).toMatchObject({ state: "rejected", error: { code: "OUTCOME_UNKNOWN" } });
    await expect(pool.request("ping")).rejects.toMatchObject({ code: "POOL_CLOSED" });
    await clock.settle();
    expect(recorder.types.at(-1)).toBe("pool-closed");
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
      "request-settled",
      "connection-retired",
      "request-finished",
      "request-settled",
      "connection-closed",
    ]);
    expect(told(after.types)).toEqual(told(recorder.types));
    expect(recorder.of("listener-failed").every((event) => event.error === error)).toBe(true);
    expect(recorder.of("listener-failed").length).toBe(told(recorder.types).length);
  });
});
