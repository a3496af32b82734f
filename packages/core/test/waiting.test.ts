import { describe, expect, it } from "vitest";
import { type Lease, McpPoolExhaustedError, McpTimeoutError } from "../src/index.ts";
import { after, fail, manual } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

/** One connection for all, and it is taken. */
async function takenPool(options: Parameters<typeof exclusivePool>[0] = {}) {
  const all = exclusivePool({ maxConnections: 1, ...options });
  const [lease] = await acquireMany(all.pool, 1);
  all.recorder.clear();
  return { ...all, lease: lease as Lease };
}

describe("waiting for room", () => {
  it("serves callers in the order in which they came", async () => {
    const { pool, clock, lease } = await takenPool();
    const order: number[] = [];
    const turns = Array.from({ length: 10 }, (_, index) =>
      pool.acquire().then((own) => {
        order.push(index);
        own.release();
      }),
    );
    await clock.settle();
    expect(order).toEqual([]);
    lease.release();
    await Promise.all(turns);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("ends when the caller says, also where that is later than the budgets of the pool", async () => {
    const { pool, clock, lease } = await takenPool({ acquireTimeoutMs: 100, connectionTimeoutMs: 100 });
    const patient = outcomeOf(pool.acquire({ timeoutMs: 1_000 }));
    await clock.advance(999);
    expect(patient.state).toBe("pending");
    await clock.advance(1);
    expect(patient.error).toBeInstanceOf(McpPoolExhaustedError);
    lease.release();
  });

  it("lets no newcomer past those who wait", async () => {
    const { pool, clock, lease } = await takenPool();
    const waiting = outcomeOf(pool.acquire());
    lease.release();
    const barging = [pool.tryAcquire(), outcomeOf(pool.acquire())] as const;
    await clock.settle();
    expect([barging[0], waiting.state, barging[1].state]).toEqual([undefined, "resolved", "pending"]);
    waiting.value?.release();
    await clock.settle();
    expect(barging[1].state).toBe("resolved");
    barging[1].value?.release();
  });

  it("lets no listener take the connection that has just been opened for somebody", async () => {
    const { pool, clock } = exclusivePool();
    const barging: unknown[] = [];
    pool.subscribe(() => barging.push(pool.tryAcquire()), ["connection-opened"]);
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    expect([barging, waiting.state]).toEqual([[undefined], "resolved"]);
    waiting.value?.release();
  });

  it("lets leases and requests stand in one line", async () => {
    const { pool, clock, connector, lease } = await takenPool();
    connector.onRequest.always(manual());
    const request = outcomeOf(pool.request("ping"));
    const acquired = outcomeOf(pool.acquire());
    lease.release();
    await clock.settle();
    expect([connector.requests.length, acquired.state]).toEqual([1, "pending"]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([request.state, acquired.state]).toEqual(["resolved", "resolved"]);
    acquired.value?.release();
  });

  it("tells who joined the queue, who was served, and whether at once", async () => {
    const { pool, clock, recorder, lease } = await takenPool();
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(70);
    lease.release();
    await clock.settle();
    waiting.value?.release();
    expect(recorder.events).toMatchObject([
      { type: "acquire-queued", waiting: 1 },
      { type: "lease-released", leaseId: 1, useMs: 70 },
      { type: "lease-acquired", leaseId: 2, waitMs: 70, isHit: false },
      { type: "lease-released", leaseId: 2, useMs: 0 },
    ]);
  });

  it("ends after acquireTimeoutMs with an error that has the numbers", async () => {
    const { pool, clock, recorder, lease } = await takenPool({ acquireTimeoutMs: 1_000 });
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(999);
    expect(waiting.state).toBe("pending");
    await clock.advance(1);
    expect(waiting.error).toBeInstanceOf(McpPoolExhaustedError);
    expect(waiting.error).toMatchObject({
      code: "POOL_EXHAUSTED",
      serverName: "files",
      counts: { total: 1, used: 1, idle: 0, waiting: 1, max: 1 },
    });
    expect(String(waiting.error)).toContain("within 1000 ms");
    expect(recorder.of("acquire-failed")).toMatchObject([{ waitMs: 1_000, error: waiting.error }]);
    expect(pool.stats().counters).toMatchObject({ timedOut: 1, errors: { poolExhausted: 1 } });
    lease.release();
  });

  it("does not run acquireTimeoutMs while a connection is being opened", async () => {
    const { pool, clock, connector, lease } = await takenPool({ acquireTimeoutMs: 1_000 });
    connector.onConnect.always(after(5_000));
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(600);
    lease.discard();
    await clock.advance(4_999);
    expect(waiting.state).toBe("pending");
    await clock.advance(1);
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
  });

  it("goes on with what was left of acquireTimeoutMs when the opening is over", async () => {
    const { pool, clock, connector, lease } = await takenPool({ acquireTimeoutMs: 1_000 });
    connector.onConnect.always(after(5_000));
    const [first, second] = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.advance(600);
    lease.discard();
    await clock.advance(5_000);
    expect([first.state, second.state]).toEqual(["resolved", "pending"]);
    await clock.advance(399);
    expect(second.state).toBe("pending");
    await clock.advance(1);
    expect(second.error).toBeInstanceOf(McpPoolExhaustedError);
    first.value?.release();
  });

  it("ends after the caller's own time, whatever the pool does", async () => {
    const { pool, clock, lease } = await takenPool();
    const taken = outcomeOf(pool.acquire({ timeoutMs: 50 }));
    const cold = scriptedPool();
    cold.connector.onConnect.always(after(500));
    const opening = outcomeOf(cold.pool.acquire({ timeoutMs: 50 }));
    await Promise.all([clock.advance(50), cold.clock.advance(50)]);
    expect(taken.error).toBeInstanceOf(McpPoolExhaustedError);
    expect(opening.error).toBeInstanceOf(McpTimeoutError);
    expect(opening.error).toMatchObject({ phase: "connect", outcome: "not-sent" });
    lease.release();
  });

  it("ends a request's wait at the request's deadline, and says that it was not sent", async () => {
    const { pool, clock, connector, lease } = await takenPool({ acquireTimeoutMs: 60_000, requestTimeoutMs: 2_000 });
    const byPool = outcomeOf(pool.request("ping"));
    const byCaller = outcomeOf(pool.request("ping", {}, { timeoutMs: 500 }));
    await clock.advance(500);
    expect([byPool.state, byCaller.state]).toEqual(["pending", "rejected"]);
    await clock.advance(1_500);
    for (const { error } of [byPool, byCaller]) {
      expect(error).toBeInstanceOf(McpTimeoutError);
      expect(error).toMatchObject({ phase: "request", outcome: "not-sent" });
    }
    expect(connector.requests).toEqual([]);
    lease.release();
  });

  it("refuses a caller who finds maxWaiting others in the queue", async () => {
    const { pool, clock, recorder, lease } = await takenPool({ maxWaiting: 2 });
    const first = outcomeOf(pool.acquire());
    const waiting = [first, outcomeOf(pool.request("ping"))];
    const refused = [outcomeOf(pool.acquire()), outcomeOf(pool.request("ping"))];
    await clock.settle();
    for (const { error } of refused) {
      expect(error).toBeInstanceOf(McpPoolExhaustedError);
      expect(String(error)).toContain("maxWaiting 2");
    }
    expect(recorder.of("acquire-failed")).toHaveLength(2);
    expect(waiting.map(({ state }) => state)).toEqual(["pending", "pending"]);
    lease.release();
    await clock.settle();
    first.value?.release();
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "resolved"]);
  });

  it("frees the places of those who leave", async () => {
    const { pool, clock, lease } = await takenPool({ maxWaiting: 1 });
    const controller = new AbortController();
    const first = outcomeOf(pool.acquire({ signal: controller.signal }));
    controller.abort();
    const second = outcomeOf(pool.acquire());
    await clock.settle();
    expect([first.state, second.state]).toEqual(["rejected", "pending"]);
    lease.release();
    await clock.settle();
    second.value?.release();
  });
});

describe("a connect that fails", () => {
  it("does not touch the queue's order", async () => {
    const { pool, clock, connector } = exclusivePool({ maxConnections: 1 });
    connector.onConnect.next(fail(new Error("refused")));
    const outcomes = Array.from({ length: 3 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    expect(outcomes.map(({ state }) => state)).toEqual(["rejected", "resolved", "pending"]);
    outcomes[1]?.value?.release();
    await clock.settle();
    outcomes[2]?.value?.release();
  });
});
