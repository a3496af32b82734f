import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { hang, manual } from "../../src/testing/index.ts";
import { acquireMany, allowAboveMaximum, exclusivePool, outcomeOf, scriptedPool } from "../scripted-pool.ts";

/** Bugs of other pools around keeping connections; the numbers are those of docs/known-bugs-of-pools.md. */
describe("keeping connections, where other pools went wrong", () => {
  it("7: connections never pass the maximum while closes are slow and callers many (generic-pool #233, pool2 #30)", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 2, acquireTimeoutMs: 600_000 });
    connector.onClose.always(manual());
    const callers = Array.from({ length: 12 }, () => outcomeOf(pool.acquire().then((lease) => lease.discard())));
    for (let round = 0; round < 12; round++) {
      await clock.settle();
      expect(connector.occupied).toBeLessThanOrEqual(2);
      for (const call of connector.pendingOf("close")) call.resolve();
    }
    await clock.settle();
    expect(connector.peak).toBe(2);
    expect(callers.every(({ state }) => state === "resolved")).toBe(true);
  });

  it("14: filling the minimum up never passes the maximum, whatever is in use (lightning-pool)", async () => {
    const { pool, connector, clock } = exclusivePool({
      minConnections: 2,
      maxConnections: 3,
      maxIdleTimeMs: 100,
      cleanupIntervalMs: 50,
    });
    for (let round = 0; round < 10; round++) {
      const leases = await acquireMany(pool, 3);
      expect(connector.occupied).toBe(3);
      await clock.advance(60);
      leases[0]?.discard();
      await clock.advance(60);
      for (const lease of leases) lease.release();
      await clock.advance(300);
      expect(connector.occupied).toBe(2);
    }
    expect(connector.peak).toBe(3);
  });

  it("16: one look closes all connections that are idle for long, and the next look finds the rest (generic-pool #178, #200)", async () => {
    const { pool, connector, clock } = exclusivePool({
      minConnections: 1,
      maxConnections: 10,
      maxIdleTimeMs: 1_000,
      cleanupIntervalMs: 1_000,
    });
    const leases = await acquireMany(pool, 10);
    for (const lease of leases.slice(0, 6)) lease.release();
    await clock.advance(2_500);
    expect(connector.live).toHaveLength(4);
    for (const lease of leases.slice(6)) lease.release();
    await clock.advance(2_500);
    expect(connector.live).toHaveLength(1);
  });

  it("23: what becomes idle, or is allowed, while somebody waits is used at once (saluki #1925)", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    const bound = await pool.acquire({ stickyKey: "a" });
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    expect(waiting.state).toBe("pending");
    bound.release();
    await clock.advance(200);
    expect(waiting.state, "a connection kept for a key gives way").toBe("resolved");
    const next = outcomeOf(pool.acquire());
    await clock.settle();
    expect(next.state).toBe("pending");
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 2 });
    await clock.settle();
    expect(next.state, "a raised maximum serves who waits").toBe("resolved");
    expect(connector.peak).toBeLessThanOrEqual(2);
    allowAboveMaximum(pool);
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 1 });
    waiting.value?.release();
    next.value?.release();
    await clock.settle();
    connector.onClose.always(manual());
    const [last] = await acquireMany(pool, 1);
    const behind = outcomeOf(pool.acquire());
    last?.discard();
    await clock.settle();
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(behind.state, "a closed connection makes room").toBe("resolved");
    behind.value?.release();
  });

  it("25: an expired connection at the limit is replaced, and what it says later changes nothing (undici #5144, #5150)", async () => {
    const { pool, connector, clock } = scriptedPool({
      maxConnections: 1,
      maxLifetimeMs: 10_000,
      acquireTimeoutMs: 60_000,
      connector: { concurrency: 1 },
    });
    clock.setRandom(0);
    const lease = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(9_999);
    expect(connector.connects).toHaveLength(1);
    await clock.advance(1);
    lease.release();
    await clock.settle();
    expect(waiting.value?.connectionId).toBe(2);
    const before = JSON.stringify(pool.stats());
    connector.connection(1).notify({ method: "notifications/message" });
    connector.connection(1).die(new Error("late"));
    lease.release();
    await clock.settle();
    expect(JSON.stringify(pool.stats())).toBe(before);
    expect(pool.tryAcquire(), "the new one is still taken").toBeUndefined();
    waiting.value?.release();
    expect(pool.tryAcquire()?.release()).toBeUndefined();
  });

  it("29: a held connection is made available by nobody else's release, age or idle time (Effect #7604)", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 2,
      maxIdleTimeMs: 1_000,
      maxLifetimeMs: 5_000,
      cleanupIntervalMs: 500,
      acquireTimeoutMs: 3_600_000,
    });
    const kept = await pool.acquire({ stickyKey: "mine" });
    for (let round = 0; round < 10; round++) {
      const peer = await pool.acquire();
      expect(peer.connectionId).not.toBe(kept.connectionId);
      peer.release();
      peer.release();
      await clock.advance(700);
    }
    expect(connector.connection(kept.connectionId).closes, "too old, and drained rather than lent").toEqual([]);
    expect(connector.occupied).toBeLessThanOrEqual(2);
    await kept.request("ping");
    const others = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.settle();
    expect(others.filter(({ value }) => value?.connectionId === kept.connectionId)).toEqual([]);
    for (const { value } of others) value?.release();
    kept.release();
    await clock.settle();
    for (const { value } of others) value?.release();
  });

  it("30: nothing keeps a closed connection in memory (Effect #8310)", async () => {
    setFlagsFromString("--expose_gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    // In a function of its own, so that no local variable of this test keeps one.
    const use = async (): Promise<WeakRef<object>> => {
      const lease = await pool.acquire({ signal: new AbortController().signal });
      await lease.request("ping");
      lease.discard();
      return new WeakRef(lease.connection);
    };
    const opened = [await use(), await use(), await use()];
    await clock.settle();
    expect(connector.connections.splice(0)).toHaveLength(3);
    await clock.advance(60_000);
    collectGarbage();
    await clock.settle();
    collectGarbage();
    expect(opened.filter((each) => each.deref() !== undefined)).toEqual([]);
    (await pool.acquire()).release();
  });

  it("41: a request that never ends hides its connection from no upkeep (openab #1300)", async () => {
    const { pool, connector, clock } = scriptedPool({
      maxConnections: 2,
      maxLifetimeMs: 60_000,
      connector: { concurrency: 1 },
      requestTimeoutMs: 3_600_000,
    });
    connector.onRequest.next(hang());
    const hung = outcomeOf(pool.request("hang"));
    await clock.advance(60_000);
    expect(pool.stats().connections).toMatchObject({ draining: 1, total: 1 });
    await pool.request("ping");
    expect(connector.requests.at(-1)?.connection).toBe(2);
    await clock.advance(300_000);
    expect(connector.connection(1).closes).toEqual(["lifetime"]);
    await clock.settle();
    expect(hung.error).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(pool.stats().inFlight).toBe(0);
  });
});
