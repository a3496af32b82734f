import { describe, expect, it } from "vitest";
import { after, fail, judged, manual } from "../src/testing/index.ts";
import { acquireMany, allowAboveMaximum, exclusivePool, expectBalance, outcomeOf } from "./scripted-pool.ts";

const FIVE_MINUTES_MS = 300_000;

describe("connections that failed", () => {
  it("are counted for five minutes, whatever they failed by", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 3, maxIdleTimeMs: 3_600_000 });
    const leases = await acquireMany(pool, 3);
    connector.connection(1).die(new Error("crashed"));
    connector.onRequest.next(judged("outcome-unknown"));
    await expect(leases[1]?.request("ping")).rejects.toThrow();
    leases[2]?.release();
    for (const lease of leases) lease.release();
    await clock.advance(1_000);
    expect(pool.stats().recentFailures).toBe(2);
    connector.onProbe.next(fail(new Error("no answer")));
    const probed = outcomeOf(pool.acquire());
    await clock.settle();
    expect(pool.stats().recentFailures).toBe(3);
    probed.value?.release();
    await clock.advance(FIVE_MINUTES_MS - 1_000);
    expect(pool.stats().recentFailures, "the first two, at the very end of the five minutes").toBe(3);
    await clock.advance(1);
    expect(pool.stats().recentFailures).toBe(1);
    await clock.advance(1_000);
    expect(pool.stats().recentFailures).toBe(0);
    expect(pool.stats().counters.lost).toBe(3);
  });

  it("are not those that were closed on purpose", async () => {
    const { pool, clock } = exclusivePool();
    (await pool.acquire()).discard();
    await clock.settle();
    expect(pool.stats().recentFailures).toBe(0);
    expect(pool.stats().counters.lost).toBe(0);
  });

  it("are remembered up to a thousand", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1_005 });
    const leases = await acquireMany(pool, 1_005);
    // Old enough not to count as a crash loop, which would hold the next connects up.
    await clock.advance(10_000);
    for (const lease of leases) {
      connector.connection(lease.connectionId).die(new Error("crashed"));
      lease.release();
    }
    await clock.settle();
    expect(pool.stats().counters.lost).toBe(1_005);
    expect(pool.stats().recentFailures).toBe(1_000);
  });
});

describe("a close that ends after its place was given up", () => {
  it("is counted once", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    connector.onClose.next(manual());
    const lease = await pool.acquire();
    lease.discard();
    await clock.advance(10_000);
    expect(pool.stats()).toMatchObject({ connections: { total: 0 }, counters: { destroyed: 1 } });
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(pool.stats()).toMatchObject({ connections: { total: 0 }, counters: { destroyed: 1 } });
    expectBalance({ pool, connector });
  });
});

describe("a connect that fails", () => {
  it("says for how long it was tried, and how long the server asks to wait", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 1 });
    await clock.advance(5_000);
    connector.onConnect.next(after(300, judged("overloaded", "busy", { retryAfterMs: 4_000 })));
    const caller = outcomeOf(pool.acquire());
    await clock.advance(300);
    expect(caller.error).toMatchObject({ code: "CONNECTION_FAILED", retryAfterMs: 4_000 });
    expect(recorder.of("connection-failed")).toMatchObject([{ durationMs: 300, connectionId: 1 }]);
  });

  it("by its deadline says which server it was, how long it took, and that nothing was sent", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 700 });
    connector.onConnect.next(manual());
    const controller = new AbortController();
    const caller = outcomeOf(pool.acquire({ signal: controller.signal, timeoutMs: 60_000 }));
    await clock.advance(700);
    expect(connector.connects[0]?.signal.reason).toMatchObject({
      code: "TIMEOUT",
      phase: "connect",
      outcome: "not-sent",
    });
    expect(String(connector.connects[0]?.signal.reason)).toContain('"files" did not open a connection within 700 ms');
    expect(caller.state).toBe("rejected");
    connector.pending[0]?.reject(new Error("late"));
    await clock.settle();
  });

  it.each([[undefined], [7], ["connection"]])("is what a connector that returns %s amounts to", async (value) => {
    const { pool, connector, clock } = exclusivePool();
    connector.connect = () => Promise.resolve(value as never);
    const caller = outcomeOf(pool.acquire());
    await clock.settle();
    expect(String(caller.error)).toContain("must return a new connection each time");
  });
});

it("a connection that drains at close is cut off when told to wait for nothing", async () => {
  const { pool, connector, clock } = exclusivePool();
  const lease = await pool.acquire();
  const closing = outcomeOf(pool.close({ drainTimeoutMs: 0 }));
  expect(connector.connection(1).closes).toEqual(["pool-closed"]);
  await clock.settle();
  expect(closing.state).toBe("resolved");
  lease.release();
  allowAboveMaximum(pool);
});
