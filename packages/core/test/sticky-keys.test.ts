import { describe, expect, it } from "vitest";
import { type McpConnectionPool, McpPoolExhaustedError, McpSessionLostError } from "../src/index.ts";
import { fail, hang, manual } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

/** Uses a key once, and returns the number of its connection. */
async function touch(pool: McpConnectionPool, stickyKey: string): Promise<number> {
  const lease = await pool.acquire({ stickyKey });
  lease.release();
  return lease.connectionId;
}

describe("a sticky key", () => {
  it("leads to the same connection each time", async () => {
    const { pool, clock } = exclusivePool();
    const first = await touch(pool, "alice");
    const second = await touch(pool, "bob");
    await clock.advance(100);
    expect(first).not.toBe(second);
    expect([await touch(pool, "alice"), await touch(pool, "bob"), await touch(pool, "alice")]).toEqual([
      first,
      second,
      first,
    ]);
  });

  it("keeps its connection from everybody else", async () => {
    const { pool } = exclusivePool();
    const bound = await touch(pool, "alice");
    const lease = await pool.acquire();
    expect(lease.connectionId).not.toBe(bound);
    lease.release();
    expect(pool.stats().connections).toMatchObject({ ready: 2, idle: 2 });
  });

  it("takes over an idle connection that is nobody's", async () => {
    const { pool, connector } = exclusivePool();
    (await pool.acquire()).release();
    expect(await touch(pool, "alice")).toBe(1);
    expect(connector.connects).toHaveLength(1);
    const other = await pool.acquire();
    expect([other.connectionId, await touch(pool, "alice")]).toEqual([2, 1]);
    expect(pool.stats().counters).toMatchObject({ hits: 2, misses: 2, borrowed: 4 });
    other.release();
  });

  it("loses its connection after maxUses, and is told so", async () => {
    const { pool, connector, clock } = exclusivePool({ maxUses: 3 });
    for (let use = 0; use < 3; use++) await touch(pool, "alice");
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["max-uses"]);
    await expect(pool.acquire({ stickyKey: "alice" })).rejects.toBeInstanceOf(McpSessionLostError);
  });

  it("gives its connection up when it was idle for maxIdleTimeMs, and starts anew without a word", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxIdleTimeMs: 5_000, cleanupIntervalMs: 1_000_000 });
    await touch(pool, "alice");
    await clock.advance(5_000);
    expect(await touch(pool, "alice")).toBe(1);
    await clock.advance(5_001);
    expect(await touch(pool, "alice")).toBe(2);
    expect(connector.connection(1).closes).toEqual(["idle"]);
    expect(recorder.of("sticky-key-lost")).toEqual([]);
  });

  it("is given up by the clean-up as well, even below the minimum", async () => {
    const { pool, connector, clock } = exclusivePool({
      minConnections: 1,
      maxIdleTimeMs: 5_000,
      cleanupIntervalMs: 1_000,
    });
    await touch(pool, "alice");
    await clock.advance(7_000);
    expect(connector.connection(1).closes).toEqual(["idle"]);
    expect(connector.live).toHaveLength(1);
  });

  it("is given up at the maximum, the least recently used first, with an event", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 2 });
    await touch(pool, "alice");
    await touch(pool, "bob");
    await touch(pool, "alice");
    const carol = await touch(pool, "carol");
    expect(connector.connection(2).closes).toEqual(["evicted"]);
    expect(recorder.of("sticky-key-evicted")).toMatchObject([{ stickyKey: "bob", connectionId: 2 }]);
    expect(recorder.of("sticky-key-lost")).toEqual([]);
    await clock.settle();
    expect([await touch(pool, "alice"), await touch(pool, "carol")]).toEqual([1, carol]);
    expect(await touch(pool, "bob")).toBeGreaterThan(carol);
  });

  it("is not given up while it is in use", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire({ stickyKey: "alice" });
    const other = outcomeOf(pool.acquire({ stickyKey: "bob" }));
    await clock.advance(1_000);
    expect(other.error).toBeInstanceOf(McpPoolExhaustedError);
    lease.release();
  });

  it("gives up one key for one caller, even while the closing takes its time", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 3 });
    for (const key of ["a", "b", "c"]) await touch(pool, key);
    connector.onClose.next(manual());
    const lease = outcomeOf(pool.acquire());
    await clock.advance(100);
    expect(recorder.of("sticky-key-evicted")).toMatchObject([{ stickyKey: "a" }]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(lease.state).toBe("resolved");
    expect(connector.live).toHaveLength(3);
    lease.value?.release();
  });

  it("tells once that its connection is gone", async () => {
    const { pool, connector, clock, recorder } = exclusivePool();
    await touch(pool, "alice");
    connector.connection(1).die(new Error("crash"));
    await clock.settle();
    expect(recorder.of("sticky-key-lost")).toMatchObject([{ stickyKey: "alice", connectionId: 1 }]);
    const error: unknown = await pool.acquire({ stickyKey: "alice" }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(McpSessionLostError);
    expect(error).toMatchObject({ code: "SESSION_LOST", serverName: "files" });
    expect(await touch(pool, "alice")).toBe(2);
  });

  it("tells those who wait for its connection that it is gone", async () => {
    const { pool, connector, clock } = exclusivePool();
    const lease = await pool.acquire({ stickyKey: "alice" });
    const waiting = [outcomeOf(pool.acquire({ stickyKey: "alice" })), outcomeOf(pool.acquire({ stickyKey: "alice" }))];
    connector.connection(1).die();
    await clock.settle();
    for (const { error } of waiting) expect(error).toBeInstanceOf(McpSessionLostError);
    lease.release();
    expect(await touch(pool, "alice")).toBe(2);
  });

  it("starts anew without a word when its holder discards the connection", async () => {
    const { pool, clock } = exclusivePool();
    const lease = await pool.acquire({ stickyKey: "alice" });
    lease.discard();
    await clock.settle();
    expect(await touch(pool, "alice")).toBe(2);
  });

  it("keeps the connection's state at release, whatever onRelease says", async () => {
    const { pool, connector } = exclusivePool({ onRelease: "close" });
    await touch(pool, "alice");
    expect(await touch(pool, "alice")).toBe(1);
    expect(connector.connection(1).closes).toEqual([]);
  });

  it("has its connection probed after a quiet time, and is told when the probe fails", async () => {
    const { pool, connector, clock } = exclusivePool();
    await touch(pool, "alice");
    await clock.advance(501);
    expect(await touch(pool, "alice")).toBe(1);
    expect(connector.connection(1).probes).toBe(1);
    await clock.advance(501);
    connector.onProbe.next(fail(new Error("no answer")));
    await expect(pool.acquire({ stickyKey: "alice" })).rejects.toBeInstanceOf(McpSessionLostError);
  });

  it("is told that its state is gone after a call on its connection was aborted", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onRequest.next(hang());
    const controller = new AbortController();
    const lease = await pool.acquire({ stickyKey: "alice" });
    const request = outcomeOf(lease.request("tools/call", { name: "a" }, { signal: controller.signal }));
    await clock.settle();
    controller.abort("enough");
    await clock.settle();
    lease.release();
    expect(request.state).toBe("rejected");
    await expect(pool.acquire({ stickyKey: "alice" })).rejects.toBeInstanceOf(McpSessionLostError);
  });
});
