import { describe, expect, it } from "vitest";
import {
  CircuitBreakerOpenError,
  McpPoolClosedError,
  McpValidationError,
  type PoolPlugin,
  RequestFailure,
} from "../src/index.ts";
import { after, fail, hang, judged, untilAborted } from "../src/testing/index.ts";
import { acquireMany, admitting, exclusivePool, expectBalance, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("listeners that call back", () => {
  it("close the pool, and everybody's close() still settles", async () => {
    const { pool, clock } = scriptedPool({ maxConnections: 1, maxRequestsPerConnection: 1 });
    const lease = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    const inner: ReturnType<typeof outcomeOf>[] = [];
    pool.subscribe(() => inner.push(outcomeOf(pool.close())), ["acquire-failed"]);
    const outer = outcomeOf(pool.close());
    lease.release();
    await clock.settle();
    expect([outer.state, ...inner.map(({ state }) => state)]).toEqual(["resolved", "resolved"]);
    expect(waiting.error).toBeInstanceOf(McpPoolClosedError);
  });

  it("abort other callers while one is told of a lost key, and each leaves once", async () => {
    const { pool, connector, clock } = exclusivePool();
    await pool.acquire({ stickyKey: "a" });
    const controllers = [new AbortController(), new AbortController(), new AbortController()];
    const waiting = controllers.map(({ signal }) => outcomeOf(pool.acquire({ stickyKey: "a", signal })));
    pool.subscribe(() => {
      for (const controller of controllers) controller.abort("enough");
    }, ["sticky-key-lost"]);
    connector.connection(1).die(new Error("killed"));
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected"]);
    expect(pool.stats().waiting).toBe(0);
  });

  it("never see more connections than the maximum, also when they acquire as one is closed", async () => {
    const { pool, connector, clock } = scriptedPool({ maxConnections: 1, maxRequestsPerConnection: 1 });
    (await pool.acquire()).discard();
    const leases: ReturnType<typeof outcomeOf>[] = [];
    pool.subscribe(() => leases.push(outcomeOf(pool.acquire())), ["connection-closed"]);
    await clock.settle();
    expect(leases.map(({ state }) => state)).toEqual(["resolved"]);
    expect(connector.peak).toBe(1);
  });
});

describe("a plugin", () => {
  it("that aborts the caller it is asked about costs no room", async () => {
    const controller = new AbortController();
    let isArmed = false;
    const plugin = admitting(() => {
      if (isArmed) controller.abort("enough");
    });
    const all = exclusivePool({ maxConnections: 1, plugins: [plugin] });
    const { pool, clock } = all;
    const lease = await pool.acquire();
    const waiting = outcomeOf(pool.acquire({ signal: controller.signal }));
    isArmed = true;
    lease.release();
    await clock.settle();
    expect(waiting.state).toBe("rejected");
    expect([pool.stats().inFlight, pool.stats().waiting]).toEqual([0, 0]);
    expectBalance(all);
  });

  it("that refuses connects is not asked again and again for the minimum", async () => {
    let isOpen = false;
    let refusals = 0;
    const breaker: PoolPlugin = {
      name: "breaker",
      install: () => ({
        connect: (next) => (request) => {
          if (!isOpen) return next(request);
          refusals++;
          return Promise.reject(new CircuitBreakerOpenError("open", { retryAfterMs: 5_000 }));
        },
      }),
    };
    const { pool, connector, clock } = scriptedPool({ minConnections: 2, plugins: [breaker] });
    await pool.warmUp();
    isOpen = true;
    connector.connection(1).die(new Error("killed"));
    await clock.advance(1_000);
    expect(refusals).toBe(1);
    isOpen = false;
    await clock.advance(60_000);
    expect(connector.live).toHaveLength(2);
  });
});

describe("a connection that drains", () => {
  it("ends by the earliest of its deadlines", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(after(500, judged("outcome-unknown")), hang());
    const first = outcomeOf(pool.request("a"));
    await clock.settle();
    outcomeOf(pool.request("b", {}, { timeoutMs: 200_000 }));
    const closing = outcomeOf(pool.close({ drainTimeoutMs: 1_000 }));
    await clock.advance(1_100);
    expect([first.state, closing.state]).toEqual(["rejected", "resolved"]);
  });

  it("takes no time that is none", async () => {
    const { pool } = scriptedPool();
    await expect(pool.close({ drainTimeoutMs: Number.NaN })).rejects.toBeInstanceOf(McpValidationError);
    await expect(pool.close({ drainTimeoutMs: -1 })).rejects.toThrow(/drainTimeoutMs/);
    expect(pool.isClosed).toBe(false);
  });
});

describe("a caller beside a connection in doubt", () => {
  it("gets another one when its probe fails, although it has work on it", async () => {
    const { pool, connector, clock } = scriptedPool({ maxConnections: 4, maxRequestsPerConnection: 4 });
    const held = await pool.acquire();
    connector.onRequest.next(untilAborted());
    connector.onProbe.next(after(1_000, fail(new Error("no answer"))));
    outcomeOf(pool.request("slow", {}, { timeoutMs: 100 }));
    await clock.advance(100);
    const caller = outcomeOf(pool.acquire());
    await clock.settle();
    expect([caller.state, connector.connects.length]).toEqual(["resolved", 2]);
    held.release();
    (caller.value as Awaited<ReturnType<typeof pool.acquire>>).release();
  });

  it("does not wait for the probe of another key's connection", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 3 });
    (await pool.acquire({ stickyKey: "a" })).release();
    await clock.advance(1_000);
    connector.onProbe.next(hang());
    outcomeOf(pool.acquire({ stickyKey: "a", timeoutMs: 50 }));
    const caller = outcomeOf(pool.acquire());
    await clock.settle();
    expect(caller.state).toBe("resolved");
  });
});

describe("connections that die together", () => {
  it("count as one crash, so that the next connect is not held up", async () => {
    const { pool, connector, clock } = exclusivePool();
    const leases = await acquireMany(pool, 5);
    await clock.advance(5_000);
    for (const lease of leases) connector.connection(lease.connectionId).die(new Error("crash"));
    for (const lease of leases) lease.release();
    const next = outcomeOf(pool.acquire());
    await clock.settle();
    expect(next.state).toBe("resolved");
  });
});

describe("a lease", () => {
  it("released with the error of another server keeps its healthy connection", async () => {
    const healthy = scriptedPool({ name: "healthy" });
    const broken = scriptedPool({ name: "broken" });
    broken.connector.onRequest.next(judged("outcome-unknown"));
    const use = healthy.pool.use(async () => {
      await healthy.pool.request("a");
      await broken.pool.request("b");
    });
    await expect(use).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", serverName: "broken" });
    expect(healthy.connector.live).toHaveLength(1);
    expect(healthy.pool.stats().counters.lost).toBe(0);
  });

  it("released with the connector's own word that its connection is broken closes it", async () => {
    const { pool, connector, clock } = scriptedPool();
    const lease = await pool.acquire();
    lease.release(new RequestFailure("outcome-unknown", "found out by other means"));
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["request-failed"]);
  });
});

describe("a lower maximum", () => {
  it("gives up what is being opened before what is open", async () => {
    const { pool, connector } = exclusivePool({ maxConnections: 4 });
    const lease = await pool.acquire();
    connector.onConnect.always(hang());
    outcomeOf(pool.acquire({ timeoutMs: 50 }));
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 1 });
    expect(connector.connects.filter(({ signal }) => signal.aborted)).toHaveLength(1);
    expect(connector.connection(lease.connectionId).closes).toEqual([]);
    lease.release();
  });
});
