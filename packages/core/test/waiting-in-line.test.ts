import { describe, expect, test } from "vitest";
import { McpConnectionError, type McpPoolError, type PoolPlugin } from "../src/index.ts";
import { manual } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

describe("a line of callers", () => {
  test("keeps the time that each was promised, though the pool now promises less", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const early = outcomeOf(pool.acquire());
    await clock.advance(100);
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 1, acquireTimeoutMs: 300 });
    const late = outcomeOf(pool.acquire());
    await clock.advance(299);
    expect([early.state, late.state]).toEqual(["pending", "pending"]);
    await clock.advance(1);
    expect([early.state, late.state]).toEqual(["pending", "rejected"]);
    await clock.advance(599);
    expect(early.state).toBe("pending");
    await clock.advance(1);
    expect(early.state).toBe("rejected");
    lease.release();
  });

  test("times who comes behind a caller that waits for longer", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const patient = outcomeOf(pool.acquire({ timeoutMs: 5_000 }));
    const plain = outcomeOf(pool.acquire());
    const hasty = outcomeOf(pool.acquire({ timeoutMs: 10 }));
    await clock.advance(10);
    expect([patient.state, plain.state, hasty.state]).toEqual(["pending", "pending", "rejected"]);
    await clock.advance(990);
    expect([patient.state, plain.state]).toEqual(["pending", "rejected"]);
    await clock.advance(4_000);
    expect(patient.state).toBe("rejected");
    lease.release();
  });

  test("ends for each at its own time, not when the first one's is up", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const outcomes = [];
    for (let caller = 0; caller < 4; caller++) {
      outcomes.push(outcomeOf(pool.acquire()));
      await clock.advance(100);
    }
    await clock.advance(599);
    const seen = [];
    for (let moment = 0; moment < 5; moment++) {
      seen.push(outcomes.filter(({ state }) => state === "rejected").length);
      await clock.advance(moment === 0 ? 1 : 100);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    lease.release();
  });

  test("charges the opening of a connection to the other budget, for all at once and as often as it happens", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 2,
      acquireTimeoutMs: 1_000,
      connectionTimeoutMs: 400,
    });
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    const waiting = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.advance(600);
    connector.onConnect.always(manual());
    // The place of the one that closes is for a new one: from now on time is charged to its opening.
    second.discard();
    await clock.advance(300);
    const [connect] = connector.pendingOf("connect");
    connect?.resolve();
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "pending"]);
    // 600 ms of 1 000 were spent before, and the 300 ms of the opening do not count.
    await clock.advance(399);
    expect(waiting[1]?.state).toBe("pending");
    await clock.advance(1);
    expect(waiting[1]?.state).toBe("rejected");
    first.release();
    waiting[0]?.value?.release();
  });

  test("hears of a release before the next lease begins, and of that before its holder does", async () => {
    const { pool, recorder, clock } = exclusivePool({ maxConnections: 1 });
    const lease = await pool.acquire();
    const order: string[] = [];
    pool.subscribe(({ type }) => order.push(type), ["lease-acquired", "lease-released"]);
    const next = pool.acquire().then((granted) => {
      order.push("held");
      return granted;
    });
    await clock.advance(25);
    lease.release();
    const granted = await next;
    expect(order).toEqual(["lease-released", "lease-acquired", "held"]);
    expect(recorder.events.findLast(({ type }) => type === "lease-acquired")).toMatchObject({
      leaseId: granted.id,
      waitMs: 25,
      isHit: false,
    });
    granted.release();
  });

  test("is served by a connection whose last use it is, and then by a new one", async () => {
    const { pool, connector } = exclusivePool({ maxConnections: 1, maxUses: 2 });
    const first = await pool.acquire();
    const [second, third] = [pool.acquire(), pool.acquire()];
    first.release();
    expect((await second).connectionId).toBe(first.connectionId);
    (await second).release();
    expect((await third).connectionId).not.toBe(first.connectionId);
    (await third).release();
    expect(connector.connects).toHaveLength(2);
  });

  test("loses those whom a plugin refuses when their turn comes, and the next one is served", async () => {
    const refusals: (McpPoolError | undefined)[] = [];
    const plugin: PoolPlugin = { name: "gate", install: () => ({ admit: () => refusals.shift() }) };
    const { pool, clock } = exclusivePool({ maxConnections: 1, plugins: [plugin] });
    const lease = await pool.acquire();
    const waiting = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    const refusal = new McpConnectionError("not you");
    // Asked once on the way straight to the caller, and again by the dispatcher, which has the last word.
    refusals.push(refusal, refusal);
    lease.release();
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["rejected", "resolved"]);
    expect(waiting[0]?.error).toBe(refusal);
    waiting[1]?.value?.release();
  });
});
