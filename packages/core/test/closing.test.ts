import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { McpOutcomeUnknownError, McpPoolClosedError } from "../src/index.ts";
import { after, fail, hang, manual, ok, throwing } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("closing a pool", () => {
  it("closes every connection once, and tells so", async () => {
    const { pool, connector, clock, recorder } = scriptedPool({ minConnections: 2 });
    await pool.warmUp();
    recorder.clear();
    await pool.close();
    expect(connector.connections.map(({ closes }) => closes)).toEqual([["pool-closed"], ["pool-closed"]]);
    expect(recorder.types).toEqual(["connection-closed", "connection-closed", "pool-closed"]);
    expect(pool.isClosed).toBe(true);
    expect(clock.pending).toEqual([]);
    expect(connector.listenerCount).toBe(0);
    expect(pool.stats()).toMatchObject({
      isClosed: true,
      connections: { total: 0 },
      counters: { created: 2, destroyed: 2 },
    });
  });

  it("resolves for a pool that was never used", async () => {
    const { pool, recorder, clock } = scriptedPool();
    await pool.close();
    expect(recorder.types).toEqual(["pool-closed"]);
    expect(clock.pending).toEqual([]);
  });

  it("is done once, however often it is asked for", async () => {
    const { pool, recorder } = scriptedPool();
    const closing = pool.close();
    expect(pool.close({ drainTimeoutMs: 5 })).toBe(closing);
    await closing;
    expect(pool.close()).toBe(closing);
    await pool[Symbol.asyncDispose]();
    expect(recorder.of("pool-closed")).toHaveLength(1);
  });

  it("rejects those who wait, at once, and takes their listeners along", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1 });
    const lease = await pool.acquire();
    const { signal } = new AbortController();
    const waiting = [outcomeOf(pool.acquire({ signal })), outcomeOf(pool.request("ping", {}, { signal }))];
    const closing = outcomeOf(pool.close());
    await clock.settle();
    for (const { error } of waiting) {
      expect(error).toBeInstanceOf(McpPoolClosedError);
      expect(error).toMatchObject({ code: "POOL_CLOSED", serverName: "files" });
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(closing.state).toBe("pending");
    lease.release();
    await clock.settle();
    expect(closing.state).toBe("resolved");
  });

  it("refuses everything afterwards, at once and without a timer", async () => {
    const { pool, clock, connector } = scriptedPool({ minConnections: 1 });
    await pool.listTools();
    await pool.close();
    const { length } = connector.requests;
    const calls = [
      pool.acquire(),
      pool.use(() => {}),
      pool.request("ping"),
      pool.client.callTool({ name: "a" }),
      pool.listTools(),
      pool.subscribeResource({ uri: "a:b" }),
      pool.warmUp(),
    ];
    for (const call of calls) await expect(call).rejects.toBeInstanceOf(McpPoolClosedError);
    expect(pool.tryAcquire()).toBeUndefined();
    await pool.unsubscribeResource({ uri: "a:b" });
    expect(clock.pending).toEqual([]);
    expect(connector.requests).toHaveLength(length);
  });

  it("waits for leases and requests, which may go on until then", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(manual());
    const lease = await pool.acquire();
    const request = outcomeOf(pool.request("slow"));
    await clock.settle();
    const closing = outcomeOf(pool.close());
    await clock.advance(5_000);
    expect(pool.stats().connections.draining).toBe(1);
    await lease.client.callTool({ name: "still works" });
    lease.release();
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([request.state, closing.state]).toEqual(["resolved", "resolved"]);
  });

  it("waits no longer than drainTimeoutMs, 10 s by default", async () => {
    for (const [drainTimeoutMs, limitMs] of [
      [undefined, 10_000],
      [300, 300],
      [0, 0],
    ] as const) {
      const { pool, connector, clock } = exclusivePool();
      const lease = await pool.acquire();
      const closing = outcomeOf(pool.close({ drainTimeoutMs }));
      await clock.advance(Math.max(limitMs - 1, 0));
      expect(closing.state).toBe(limitMs === 0 ? "resolved" : "pending");
      await clock.advance(1);
      expect(closing.state).toBe("resolved");
      expect(connector.connection(1).closes).toEqual(["pool-closed"]);
      lease.release();
      expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
    }
  });

  it("ends what is in flight at its deadline, even on a connection that does not", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.always(hang());
    const request = outcomeOf(pool.request("slow"));
    await clock.settle();
    const closing = outcomeOf(pool.close({ drainTimeoutMs: 100 }));
    await clock.advance(100);
    expect(closing.state).toBe("resolved");
    expect(request.error).toBeInstanceOf(McpOutcomeUnknownError);
    expect(clock.pending).toEqual([]);
    expect(pool.stats().inFlight).toBe(0);
  });

  it.each([
    ["rejects", fail(new Error("no")), 0],
    ["throws", throwing(new Error("no")), 0],
    ["never ends", hang(), 10_000],
  ])("resolves when the close of a connection %s", async (_how, step, waitMs) => {
    const { pool, connector, clock } = scriptedPool();
    await pool.request("ping");
    connector.onClose.next(step);
    const closing = outcomeOf(pool.close());
    await clock.advance(Math.max(waitMs - 1, 0));
    expect(closing.state).toBe(waitMs === 0 ? "resolved" : "pending");
    await clock.advance(1);
    expect(closing.state).toBe("resolved");
  });

  it("gives up connects, and closes connections that still come", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.always(manual());
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    const closing = outcomeOf(pool.close());
    await clock.settle();
    expect(waiting.error).toBeInstanceOf(McpPoolClosedError);
    expect([connector.connects[0]?.signal.aborted, closing.state]).toEqual([true, "pending"]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([closing.state, connector.connection(1).closes]).toEqual(["resolved", ["unneeded"]]);
  });

  it("waits no longer than 10 s for a connect that does not come back", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.always(manual());
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    const stray = connector.pending[0];
    const closing = outcomeOf(pool.close());
    await clock.advance(9_999);
    expect([waiting.state, closing.state]).toEqual(["rejected", "pending"]);
    await clock.advance(1);
    expect(closing.state).toBe("resolved");
    stray?.resolve();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["unneeded"]);
    expect(clock.pending).toEqual([]);
  });

  it("ends while connects keep failing, and tries none any more", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.always(fail(new Error("refused")));
    const outcomes = Array.from({ length: 5 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    const { length } = connector.connects;
    await pool.close();
    await clock.advance(60_000);
    expect(outcomes.every(({ state }) => state === "rejected")).toBe(true);
    expect(connector.connects).toHaveLength(length);
  });

  it("opens nothing any more while it drains, whatever the minimum is", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 2, cleanupIntervalMs: 1_000 });
    const lease = await pool.acquire();
    await clock.settle();
    const closing = outcomeOf(pool.close());
    await clock.advance(5_000);
    expect([connector.connects.length, closing.state]).toEqual([2, "pending"]);
    lease.release();
    await clock.settle();
    expect(closing.state).toBe("resolved");
  });

  it("rejects a warm-up that is under way", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 1 });
    connector.onConnect.always(after(1_000));
    const warmUp = outcomeOf(pool.warmUp());
    await clock.settle();
    await pool.close();
    await clock.settle();
    expect(warmUp.error).toBeInstanceOf(McpPoolClosedError);
  });

  it("ends while probes and resets are under way", async () => {
    const { pool, connector, clock } = exclusivePool({ onRelease: () => new Promise(() => {}) });
    const [first, second] = await acquireMany(pool, 2);
    first?.release();
    connector.onProbe.always(hang());
    void second;
    const closing = outcomeOf(pool.close({ drainTimeoutMs: 1_000 }));
    await clock.advance(1_000);
    expect(closing.state).toBe("resolved");
    second?.release();
    await clock.advance(60_000);
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
    connector.onProbe.always(ok());
  });

  it("survives a lease that was granted in the very tick", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1 });
    const first = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    first.release();
    const closing = outcomeOf(pool.close());
    await clock.settle();
    expect([waiting.state, closing.state]).toEqual(["resolved", "pending"]);
    waiting.value?.release();
    await clock.settle();
    expect(closing.state).toBe("resolved");
  });
});
