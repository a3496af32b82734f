import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { Lease } from "../src/index.ts";
import { acquireMany, exclusivePool, expectBalance, outcomeOf, scriptedPool } from "./scripted-pool.ts";

/** One connection for all, and it is taken. */
async function takenPool(options: Parameters<typeof exclusivePool>[0] = {}) {
  const all = exclusivePool({ maxConnections: 1, ...options });
  const [lease] = await acquireMany(all.pool, 1);
  all.recorder.clear();
  return { ...all, lease: lease as Lease };
}

describe("aborting", () => {
  it("rejects at once, and claims nothing, when the signal was aborted before", async () => {
    const { pool, connector, clock } = scriptedPool();
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(pool.acquire({ signal })).rejects.toBe(reason);
    await expect(pool.request("ping", {}, { signal })).rejects.toBe(reason);
    await expect(pool.use(() => {}, { signal })).rejects.toBe(reason);
    await clock.settle();
    expect(connector.connects).toEqual([]);
  });

  it("ends a wait in the same tick, with the signal's reason, and takes its listener along", async () => {
    const { pool, clock, lease, recorder } = await takenPool();
    const controller = new AbortController();
    const waiting = outcomeOf(pool.acquire({ signal: controller.signal }));
    const behind = outcomeOf(pool.acquire());
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort("enough");
    expect(pool.stats()).toMatchObject({ waiting: 1, counters: { aborted: 1 } });
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    await clock.settle();
    expect(waiting).toEqual({ state: "rejected", error: "enough" });
    expect(recorder.of("acquire-failed")).toMatchObject([{ error: "enough" }]);
    lease.release();
    await clock.settle();
    expect(behind.state).toBe("resolved");
    behind.value?.release();
  });

  it("gives a connection to somebody else when its caller aborts in the tick of the release", async () => {
    for (const abortsFirst of [true, false]) {
      const { pool, clock, lease } = await takenPool();
      const controller = new AbortController();
      const waiting = outcomeOf(pool.acquire({ signal: controller.signal }));
      const behind = outcomeOf(pool.acquire());
      if (abortsFirst) controller.abort();
      lease.release();
      controller.abort();
      await clock.settle();
      expect(waiting.state).toBe(abortsFirst ? "rejected" : "resolved");
      waiting.value?.release();
      await clock.settle();
      expect(behind.state).toBe("resolved");
      behind.value?.release();
      expect(pool.stats()).toMatchObject({ inFlight: 0, leases: 0, waiting: 0 });
    }
  });

  it("loses no connection, at whichever turn after the acquire it comes", async () => {
    for (let turns = 0; turns < 15; turns++) {
      const { pool, clock, connector } = exclusivePool({ maxConnections: 1 });
      const controller = new AbortController();
      const waiting = outcomeOf(pool.acquire({ signal: controller.signal }));
      for (let turn = 0; turn < turns; turn++) await undefined;
      controller.abort();
      await clock.settle();
      if (waiting.state === "resolved") waiting.value?.release();
      expectBalance({ pool, connector });
      expect(pool.stats()).toMatchObject({ inFlight: 0, leases: 0, waiting: 0 });
      const next = outcomeOf(pool.acquire());
      await clock.settle();
      expect(next.state).toBe("resolved");
      next.value?.release();
    }
  });

  it("does not send a request whose caller left in the tick of the grant", async () => {
    const { pool, clock, connector, lease } = await takenPool();
    const controller = new AbortController();
    const waiting = outcomeOf(pool.request("ping", {}, { signal: controller.signal }));
    await clock.settle();
    lease.release();
    controller.abort("enough");
    await clock.settle();
    expect(waiting.error).toBe("enough");
    expect(connector.requests).toEqual([]);
    expect(pool.stats().inFlight).toBe(0);
  });

  it("does nothing to a lease that was granted", async () => {
    const { pool } = scriptedPool();
    const controller = new AbortController();
    const lease = await pool.acquire({ signal: controller.signal });
    controller.abort();
    expect(lease.isReleased).toBe(false);
    await lease.client.callTool({ name: "a" });
    lease.release();
  });

  it("puts one listener on a signal that many callers share, and none after 10 000 acquires", async () => {
    const { pool, clock, lease } = await takenPool({ maxWaiting: 20_000 });
    const { signal } = new AbortController();
    const turns = Array.from({ length: 10_000 }, () => pool.use(() => {}, { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    lease.release();
    await Promise.all(turns);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    await clock.settle();
    expect(pool.stats().counters.granted).toBe(10_001);
  });
});
