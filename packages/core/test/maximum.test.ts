import { describe, expect, it } from "vitest";
import { hang, manual } from "../src/testing/index.ts";
import { acquireMany, allowAboveMaximum, exclusivePool, outcomeOf } from "./scripted-pool.ts";

describe("the maximum of connections", () => {
  it("is not exceeded, however many callers wait", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 3 });
    const outcomes = Array.from({ length: 20 }, () => outcomeOf(pool.acquire()));
    for (let served = 0; served < 20; served++) {
      await clock.settle();
      const holder = outcomes.find(({ state, value }) => state === "resolved" && !value?.isReleased);
      holder?.value?.release();
    }
    expect(connector.connects).toHaveLength(3);
    expect(outcomes.filter(({ state }) => state === "resolved")).toHaveLength(20);
  });

  it("counts connections that are being closed", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 2 });
    connector.onClose.always(manual());
    const [first, second] = await acquireMany(pool, 2);
    const waiting = outcomeOf(pool.acquire());
    first?.discard();
    await clock.settle();
    expect(pool.stats().connections).toMatchObject({ closing: 1, busy: 1, total: 2 });
    expect([connector.connects.length, waiting.state]).toEqual([2, "pending"]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([connector.connects.length, waiting.state]).toEqual([3, "resolved"]);
    second?.release();
    waiting.value?.release();
  });

  it.each([
    ["rejects", (call?: { reject(error: unknown): void }) => call?.reject(new Error("no"))],
    ["never ends", undefined],
  ])("gets the place of a connection back whose close %s", async (_how, end) => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 60_000 });
    connector.onClose.next(end === undefined ? hang() : manual());
    const lease = await pool.acquire();
    lease.discard();
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    end?.(connector.pending[0]);
    await clock.advance(end === undefined ? 9_999 : 0);
    expect(waiting.state).toBe(end === undefined ? "pending" : "resolved");
    // The dead connection is beyond the pool's reach, and the connector still counts it.
    if (end === undefined) allowAboveMaximum(pool);
    await clock.advance(1);
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
  });

  it("counts a connect that was given up until the connector has come back", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 1_000 });
    connector.onConnect.next(manual());
    const first = outcomeOf(pool.acquire());
    await clock.advance(1_000);
    expect(first.state).toBe("rejected");
    const second = outcomeOf(pool.acquire());
    await clock.settle();
    expect(connector.connects).toHaveLength(1);
    expect(pool.stats().connections).toMatchObject({ connecting: 1, total: 1 });
    connector.pending[0]?.reject(new Error("at last"));
    await clock.settle();
    expect([connector.connects.length, second.state]).toEqual([2, "resolved"]);
    second.value?.release();
  });

  it("counts a connection that came too late until it is closed", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 1_000 });
    connector.onConnect.next(manual());
    connector.onClose.next(manual());
    const first = outcomeOf(pool.acquire());
    await clock.advance(1_000);
    const second = outcomeOf(pool.acquire());
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([first.state, second.state, connector.connects.length]).toEqual(["rejected", "pending", 1]);
    expect(connector.connection(1).closes).toEqual(["unneeded"]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([second.state, connector.connects.length]).toEqual(["resolved", 2]);
    second.value?.release();
  });

  it("is a place for the next connect 10 s after one was given up that never comes back", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 1,
      connectionTimeoutMs: 1_000,
      acquireTimeoutMs: 60_000,
    });
    connector.onConnect.next(manual());
    const first = outcomeOf(pool.acquire());
    await clock.advance(1_000);
    const second = outcomeOf(pool.acquire());
    await clock.advance(9_999);
    expect([first.state, second.state]).toEqual(["rejected", "pending"]);
    allowAboveMaximum(pool);
    const stray = connector.pending[0];
    await clock.advance(1);
    expect(second.state).toBe("resolved");
    stray?.resolve();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["unneeded"]);
    second.value?.release();
  });
});
