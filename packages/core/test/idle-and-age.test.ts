import { describe, expect, it } from "vitest";
import { fail, ok } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("idle connections", () => {
  it("are closed within one cleanupIntervalMs after maxIdleTimeMs", async () => {
    const { pool, connector, clock, recorder } = scriptedPool({ maxIdleTimeMs: 5_000, cleanupIntervalMs: 1_000 });
    await clock.advance(300);
    await pool.request("ping");
    recorder.clear();
    await clock.advance(4_999);
    expect(connector.live).toHaveLength(1);
    await clock.advance(1_001);
    expect(connector.connection(1).closes).toEqual(["idle"]);
    expect(recorder.of("connection-closed")).toMatchObject([{ reason: "idle", uses: 1 }]);
    await clock.settle();
    expect(pool.stats().connections.total).toBe(0);
  });

  it("are looked at every cleanupIntervalMs, and not more often", async () => {
    const { pool, connector, clock } = scriptedPool({ maxIdleTimeMs: 1_000, cleanupIntervalMs: 60_000 });
    await pool.request("ping");
    await clock.advance(59_999);
    expect(connector.live).toHaveLength(1);
    await clock.advance(1);
    expect(connector.live).toHaveLength(0);
  });

  it("are closed with the defaults as well, after five to six minutes", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.request("ping");
    await clock.advance(299_000);
    expect(connector.live).toHaveLength(1);
    await clock.advance(61_000);
    expect(connector.live).toHaveLength(0);
  });

  it("stay while they are used now and then", async () => {
    const { pool, connector, clock } = scriptedPool({ maxIdleTimeMs: 5_000, cleanupIntervalMs: 1_000 });
    for (let round = 0; round < 10; round++) {
      await pool.request("ping");
      await clock.advance(4_000);
    }
    expect(connector.connects).toHaveLength(1);
  });

  it("stay as many as the minimum says, the least recently used ones go first", async () => {
    const { pool, connector, clock } = exclusivePool({
      minConnections: 2,
      maxIdleTimeMs: 5_000,
      cleanupIntervalMs: 1_000,
    });
    const [first, second, third, fourth] = await acquireMany(pool, 4);
    for (const lease of [third, first, fourth, second]) {
      lease?.release();
      await clock.advance(10);
    }
    await clock.advance(6_000);
    expect(connector.live.map(({ id }) => id).sort()).toEqual([second?.connectionId, fourth?.connectionId].sort());
    await clock.advance(60_000);
    expect(connector.live).toHaveLength(2);
    expect(connector.connects).toHaveLength(4);
  });

  it("are never closed while a lease or a request is on them", async () => {
    const { pool, connector, clock } = scriptedPool({ maxIdleTimeMs: 5_000, cleanupIntervalMs: 1_000 });
    const lease = await pool.acquire();
    await clock.advance(60_000);
    expect(connector.live).toHaveLength(1);
    lease.release();
    await clock.advance(4_000);
    expect(connector.live).toHaveLength(1);
    await clock.advance(2_000);
    expect(connector.live).toHaveLength(0);
  });

  it("bring the minimum back at the next look, when it could not be opened before", async () => {
    const { pool, connector, clock } = exclusivePool({
      minConnections: 2,
      maxConnections: 2,
      cleanupIntervalMs: 1_000,
    });
    await pool.warmUp();
    connector.onConnect.next(...Array.from({ length: 2 }, () => ({ kind: "fail", error: new Error("down") }) as const));
    await clock.advance(20_000);
    connector.connection(1).die();
    await clock.settle();
    expect(connector.live).toHaveLength(1);
    await clock.advance(1_000);
    expect(connector.live).toHaveLength(2);
  });

  it("bring the minimum back in time after all of them were lost to a server that was down for long", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 2, cleanupIntervalMs: 1_000 });
    (await pool.acquire()).release();
    await clock.settle();
    connector.onConnect.always(fail(new Error("down")));
    for (const connection of connector.connections) connection.die(new Error("restart"));
    await clock.advance(600_000);
    expect(pool.stats().connections.total).toBe(0);
    expect(
      clock.pending.filter(({ isRef }) => isRef),
      "nothing keeps the process alive",
    ).toEqual([]);
    connector.onConnect.always(ok());
    await clock.advance(60_000);
    expect(pool.stats().connections.ready).toBe(2);
  });

  it("bring the minimum up in time when the very first connects failed", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 2, cleanupIntervalMs: 1_000 });
    connector.onConnect.next(...Array.from({ length: 4 }, () => fail(new Error("down"))));
    await expect(pool.acquire()).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    await clock.advance(60_000);
    expect(pool.stats().connections.ready).toBe(2);
    await pool.close();
    expect(clock.pending).toEqual([]);
  });

  it("keep no process alive, and neither does anything else of an idle pool", async () => {
    const { pool, clock } = scriptedPool({ minConnections: 1 });
    await pool.request("ping");
    await clock.settle();
    expect(clock.pending.length).toBeGreaterThan(0);
    expect(clock.pending.filter(({ isRef }) => isRef)).toEqual([]);
  });

  it("leave it to those who wait to keep the process alive", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1 });
    const lease = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    expect(clock.pending.some(({ isRef }) => isRef)).toBe(true);
    lease.release();
    await clock.settle();
    waiting.value?.release();
    expect(clock.pending.some(({ isRef }) => isRef)).toBe(false);
  });
});

describe("old connections", () => {
  it.each([
    [0, 100_000],
    [0.5, 98_750],
    [0.999_999, 97_501],
  ])(
    "are replaced after maxLifetimeMs less a jitter of up to 2.5 %% (chance %d: %i ms)",
    async (chance, lifetimeMs) => {
      const { pool, connector, clock, recorder } = scriptedPool({ minConnections: 1, maxLifetimeMs: 100_000 });
      clock.setRandom(chance);
      await pool.warmUp();
      await clock.advance(lifetimeMs - 1);
      expect(connector.live.map(({ id }) => id)).toEqual([1]);
      await clock.advance(1);
      expect(connector.live.map(({ id }) => id)).toEqual([2]);
      const [closed] = recorder.of("connection-closed");
      expect(closed).toMatchObject({ reason: "lifetime" });
      expect(closed?.ageMs).toBeGreaterThanOrEqual(97_500);
      expect(closed?.ageMs).toBeLessThanOrEqual(100_000);
    },
  );

  it("do not end together because they were opened together", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 3, maxLifetimeMs: 100_000 });
    clock.setRandom(0, 0.5, 0.9);
    await pool.warmUp();
    await clock.advance(98_000);
    expect(connector.connects).toHaveLength(4);
    await clock.advance(1_000);
    expect(connector.connects).toHaveLength(5);
    await clock.advance(1_000);
    expect(connector.connects).toHaveLength(6);
  });

  it("drain: they take no new work, and close when the work on them is done", async () => {
    const { pool, connector, clock, recorder } = scriptedPool({ maxLifetimeMs: 10_000 });
    const lease = await pool.acquire();
    recorder.clear();
    await clock.advance(10_000);
    expect(pool.stats().connections.draining).toBe(1);
    expect(recorder.of("connection-retired")).toMatchObject([{ connectionId: 1, reason: "lifetime" }]);
    await pool.request("ping");
    expect(connector.requests.map(({ connection }) => connection)).toEqual([2]);
    await lease.request("ping");
    lease.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["lifetime"]);
  });

  it("drain for five minutes at the longest", async () => {
    const { pool, connector, clock } = scriptedPool({ maxLifetimeMs: 10_000 });
    clock.setRandom(0);
    const lease = await pool.acquire();
    await clock.advance(309_999);
    expect(connector.connection(1).closes).toEqual([]);
    await clock.advance(1);
    expect(connector.connection(1).closes).toEqual(["lifetime"]);
    lease.release();
  });

  it("live for longer than a timer of the system can wait", async () => {
    const day = 86_400_000;
    const { pool, connector, clock } = scriptedPool({ maxLifetimeMs: 40 * day, maxIdleTimeMs: Infinity });
    const { setTimer } = clock;
    clock.setTimer = (callback, delayMs) => setTimer.call(clock, callback, Math.min(delayMs, 2 ** 31 - 1));
    clock.setRandom(0);
    (await pool.acquire()).release();
    await clock.advance(39 * day);
    expect(connector.connection(1).closes).toEqual([]);
    await clock.advance(day + 1);
    expect(connector.connection(1).closes).toEqual(["lifetime"]);
  });

  it("live for ever where maxLifetimeMs is Infinity", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 1, maxLifetimeMs: Infinity });
    await pool.warmUp();
    await clock.advance(1e9);
    expect(connector.connects).toHaveLength(1);
  });
});

describe("worn connections", () => {
  it("are replaced after maxUses leases and requests", async () => {
    const { pool, connector, clock, recorder } = scriptedPool({ maxUses: 3 });
    await pool.request("ping");
    (await pool.acquire()).release();
    expect(connector.live).toHaveLength(1);
    await pool.request("ping");
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["max-uses"]);
    await pool.request("ping");
    expect(connector.requests.at(-1)?.connection).toBe(2);
    expect(recorder.of("connection-closed")).toMatchObject([{ reason: "max-uses", uses: 3 }]);
  });

  it("may have their only use by whoever waited for them to open", async () => {
    const { pool, connector, clock } = exclusivePool({ maxUses: 1 });
    (await pool.acquire()).release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["max-uses"]);
  });

  it("may have their last use handed on to a caller in line", async () => {
    const { pool, connector, clock } = exclusivePool({ maxUses: 2, maxConnections: 1 });
    const first = await pool.acquire();
    const second = outcomeOf(pool.acquire());
    first.release();
    await clock.settle();
    expect([second.value?.connectionId, connector.connection(1).closes]).toEqual([1, []]);
    second.value?.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["max-uses"]);
  });

  it("let the last use end before they close", async () => {
    const { pool, connector, clock } = exclusivePool({ maxUses: 1, maxConnections: 1 });
    const first = await pool.acquire();
    const second = outcomeOf(pool.acquire());
    await clock.settle();
    await first.request("ping");
    expect([second.state, connector.connection(1).closes]).toEqual(["pending", []]);
    first.release();
    await clock.settle();
    expect(second.value?.connectionId).toBe(2);
    second.value?.release();
  });
});
