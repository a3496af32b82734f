import { describe, expect, it } from "vitest";
import { after, hang, manual } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

/** Budgets of a pool with one connection, as `reconfigure` wants them. */
function budgets(acquireTimeoutMs: number, connectionTimeoutMs: number) {
  return { sharing: "exclusive" as const, minConnections: 0, maxConnections: 1, acquireTimeoutMs, connectionTimeoutMs };
}

describe("callers who wait while the budgets of their pool change", () => {
  it("keep what they had left of the time for taken room, and newcomers get the new time", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(1_000, 10_000));
    connector.onConnect.next(after(600));
    const holder = outcomeOf(pool.acquire());
    await clock.advance(300);
    const early = outcomeOf(pool.acquire());
    await clock.advance(300);
    const late = outcomeOf(pool.acquire());
    await clock.advance(100);
    pool.reconfigure(budgets(5_000, 10_000));
    const newcomer = outcomeOf(pool.acquire());
    await clock.advance(899);
    expect([early.state, late.state]).toEqual(["pending", "pending"]);
    await clock.advance(1);
    expect(early.error, "after 300 ms of opening and 1 000 of taken room").toMatchObject({ code: "POOL_EXHAUSTED" });
    expect(late.error, "after 1 000 ms of taken room").toMatchObject({ code: "POOL_EXHAUSTED" });
    await clock.advance(4_099);
    expect(newcomer.state).toBe("pending");
    await clock.advance(1);
    expect(newcomer.error).toMatchObject({ code: "POOL_EXHAUSTED" });
    holder.value?.release();
  });

  it("keep what they had left of the time for openings, over what comes in between", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(60_000, 1_000));
    connector.onConnect.next(after(600));
    const holder = outcomeOf(pool.acquire());
    await clock.advance(300);
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(300);
    pool.reconfigure(budgets(60_000, 30_000));
    const newcomer = outcomeOf(pool.acquire());
    await clock.advance(5_000);
    expect([holder.state, waiting.state]).toEqual(["resolved", "pending"]);
    connector.onConnect.always(hang());
    holder.value?.discard();
    await clock.advance(699);
    expect(waiting.state).toBe("pending");
    await clock.advance(1);
    expect(waiting.error, "300 ms of the first opening, 700 of the second").toMatchObject({
      code: "TIMEOUT",
      phase: "connect",
    });
    await clock.advance(29_299);
    expect(newcomer.state).toBe("pending");
    await clock.advance(1);
    expect(newcomer.error).toMatchObject({ code: "TIMEOUT", phase: "connect" });
  });

  it("still lead those who share their sticky key: one of these takes over when they leave", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(1_000, 10_000));
    const holder = await pool.acquire();
    const controller = new AbortController();
    const leader = outcomeOf(pool.acquire({ stickyKey: "a", signal: controller.signal }));
    const follower = outcomeOf(pool.acquire({ stickyKey: "a" }));
    pool.reconfigure(budgets(5_000, 10_000));
    const newcomer = outcomeOf(pool.acquire());
    controller.abort(new Error("enough"));
    await clock.settle();
    expect(leader.state).toBe("rejected");
    holder.release();
    await clock.settle();
    newcomer.value?.release();
    await clock.settle();
    expect([newcomer.state, follower.state]).toEqual(["resolved", "resolved"]);
    follower.value?.release();
    expect(connector.closedTwice).toEqual([]);
  });
});

describe("a caller who waited for one connection, and now waits for any", () => {
  it("has the time for taken room once the opening under way has served somebody else", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(1_000, 30_000));
    const holder = await pool.acquire({ stickyKey: "a" });
    const follower = outcomeOf(pool.acquire({ stickyKey: "a", timeoutMs: 3_600_000 }));
    const first = outcomeOf(pool.acquire());
    const moved = outcomeOf(pool.acquire({ stickyKey: "b" }));
    const behind = outcomeOf(pool.acquire({ stickyKey: "b" }));
    connector.onConnect.always(manual());
    holder.discard();
    await clock.advance(5_000);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect([first.state, moved.state, behind.state, follower.state]).toEqual([
      "resolved",
      "pending",
      "pending",
      "pending",
    ]);
    await clock.advance(1_000);
    expect([moved.error, behind.error]).toMatchObject([{ code: "POOL_EXHAUSTED" }, { code: "POOL_EXHAUSTED" }]);
    expect(follower.state, "its own time").toBe("pending");
    first.value?.release();
    await clock.settle();
    expect(follower.state).toBe("resolved");
    follower.value?.release();
  });

  it("is charged for the opening under way, and for taken room after it", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(1_000, 30_000));
    const holder = await pool.acquire({ stickyKey: "a" });
    const [first, moved] = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire({ stickyKey: "a" }))];
    connector.onConnect.always(manual());
    holder.discard();
    await clock.advance(5_000);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect([first.state, moved.state]).toEqual(["resolved", "pending"]);
    await clock.advance(999);
    expect(moved.state).toBe("pending");
    await clock.advance(1);
    expect(moved.error).toMatchObject({ code: "POOL_EXHAUSTED" });
    first.value?.release();
  });

  it("leaves nothing behind: later openings start no timer for it", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(1_000, 30_000));
    const holder = await pool.acquire({ stickyKey: "a" });
    const moved = outcomeOf(pool.acquire({ stickyKey: "a" }));
    holder.discard();
    await clock.settle();
    expect(moved.state).toBe("resolved");
    const before = clock.pending.length;
    moved.value?.discard();
    await clock.settle();
    const again = outcomeOf(pool.acquire());
    await clock.settle();
    expect(again.state).toBe("resolved");
    expect(clock.pending.filter(({ isRef }) => isRef)).toEqual([]);
    expect(clock.pending.length).toBeLessThanOrEqual(before);
    again.value?.release();
    expect(connector.connects).toHaveLength(3);
  });
});

describe("a caller who waits for the connection of its sticky key", () => {
  it("has its own time, be it longer than the pool's", async () => {
    const { pool, clock } = exclusivePool(budgets(1_000, 2_000));
    const holder = await pool.acquire({ stickyKey: "a" });
    const patient = outcomeOf(pool.acquire({ stickyKey: "a", timeoutMs: 5_000 }));
    await clock.advance(4_999);
    expect(patient.state).toBe("pending");
    await clock.advance(1);
    expect(patient.error).toMatchObject({ code: "POOL_EXHAUSTED" });
    holder.release();
  });

  it("learns that the room was taken, whatever others had opened meanwhile", async () => {
    const { pool, connector, clock } = exclusivePool({ ...budgets(1_000, 30_000), maxConnections: 2 });
    const holder = await pool.acquire({ stickyKey: "a" });
    connector.onConnect.always(hang());
    const follower = outcomeOf(pool.acquire({ stickyKey: "a" }));
    const other = outcomeOf(pool.acquire());
    await clock.advance(1_000);
    expect([follower.error, other.state]).toMatchObject([{ code: "POOL_EXHAUSTED" }, "pending"]);
    holder.release();
    await clock.advance(0);
  });

  it("is charged for one opening after the other", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(10_000, 1_000));
    const taken = await pool.acquire();
    const leader = outcomeOf(pool.acquire({ stickyKey: "a" }));
    const follower = outcomeOf(pool.acquire({ stickyKey: "a" }));
    connector.onConnect.next(after(600), hang());
    const first = outcomeOf(pool.acquire());
    taken.discard();
    await clock.advance(600);
    expect([leader.state, follower.state, first.state]).toEqual(["resolved", "pending", "pending"]);
    leader.value?.discard();
    await clock.advance(0);
    expect(follower.state).toBe("pending");
    await clock.advance(399);
    expect(follower.state, "600 ms of the first opening, 399 of the second").toBe("pending");
    await clock.advance(1);
    expect(follower.error).toMatchObject({ code: "TIMEOUT", phase: "connect" });
    await clock.advance(1_000);
  });
});

describe("a caller who was served", () => {
  it("leaves no timer behind, however long it might have waited", async () => {
    const { pool, clock } = exclusivePool(budgets(1_000, 1_000));
    const holder = await pool.acquire();
    const waiting = outcomeOf(pool.acquire({ timeoutMs: 3_600_000 }));
    await clock.settle();
    holder.release();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    expect(clock.pending.filter(({ isRef }) => isRef)).toEqual([]);
    waiting.value?.release();
  });
});

describe("a caller who comes while a listener hears of a new connection", () => {
  it("has the time for taken room when that connection goes to somebody else", async () => {
    const { pool, connector, clock } = exclusivePool(budgets(1_000, 30_000));
    connector.onConnect.next(after(500));
    const first = outcomeOf(pool.acquire());
    const late: { state: string; error?: unknown }[] = [];
    pool.subscribe(() => void late.push(outcomeOf(pool.acquire())), ["connection-opened"]);
    await clock.advance(500);
    expect([first.state, late[0]?.state]).toEqual(["resolved", "pending"]);
    await clock.advance(999);
    expect(late[0]?.state).toBe("pending");
    await clock.advance(1);
    expect(late[0]?.error).toMatchObject({ code: "POOL_EXHAUSTED" });
    first.value?.release();
  });
});
