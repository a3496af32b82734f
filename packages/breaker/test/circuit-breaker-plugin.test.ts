import { McpConfigurationError, type PoolPlugin } from "@mcp-pool/core";
import { fail, hang, judged, manual, ok, outcomeOf, pluginContract, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { circuitBreaker, retry } from "../src/index.ts";
import { callMany, poolBench } from "./pool-bench.ts";

const QUICK = { failureThreshold: 3, recoveryTimeoutMs: 1_000, successThreshold: 2 };

describe("the circuit breaker of a pool", () => {
  it("opens after failures in a row, refuses at once, tries again after the pause, and closes after good trials", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    const { pool, connector, clock, recorder } = bench;
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    const [refused] = await callMany(bench, 1);
    expect(refused?.error).toMatchObject({
      code: "CIRCUIT_OPEN",
      retryAfterMs: expect.closeTo(1_000, -1),
      serverName: "files",
    });
    expect(connector.requests).toHaveLength(3);
    connector.onRequest.always(ok());
    await clock.advance(1_000);
    await callMany(bench, 2);
    expect(pool.circuitBreaker.state).toBe("closed");
    const changes = recorder.of("circuit-state-changed").map(({ from, to }) => `${from} ${to}`);
    expect(changes).toEqual(["closed open", "open half-open", "half-open closed"]);
    expect(recorder.of("circuit-rejected")).toMatchObject([{ state: "open", retryAfterMs: expect.closeTo(1_000, -1) }]);
    expect(pool.stats().counters.errors.circuitOpen).toBe(1);
  });

  it("admits one trial of a hundred callers, and fails the rest at once", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    const { pool, connector, clock } = bench;
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    await clock.advance(1_000);
    connector.onRequest.always(manual());
    const calls = Array.from({ length: 100 }, () => outcomeOf(pool.request("tools/call", { name: "pay" })));
    await clock.settle();
    expect(connector.requests).toHaveLength(4);
    expect(calls.filter(({ state }) => state === "rejected")).toHaveLength(99);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(calls.filter(({ state }) => state === "resolved")).toHaveLength(1);
  });

  it("takes the success of a call for its own state's, though another call came in between while it set out", async () => {
    let isFirst = true;
    const meddler: PoolPlugin = {
      name: "meddler",
      install: () => ({
        request: (next) => (request) => {
          if (isFirst) {
            isFirst = false;
            bench.pool.circuitBreaker.reset();
            outcomeOf(bench.pool.request("inner"));
          }
          return next(request);
        },
      }),
    };
    const bench = poolBench([circuitBreaker(QUICK), meddler]);
    const { pool, connector, clock } = bench;
    connector.onRequest.always(manual());
    const outer = outcomeOf(pool.request("outer"));
    await clock.settle();
    expect(connector.requests.map(({ method }) => method).toSorted()).toEqual(["inner", "outer"]);
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 2);
    expect(pool.circuitBreaker.getStats().failureCount).toBe(2);
    for (const { method, resolve } of connector.pending) if (method === "outer") resolve();
    await clock.settle();
    expect(outer.state).toBe("resolved");
    expect(pool.circuitBreaker.getStats().failureCount).toBe(2);
  });

  it.each(["answered", "aborted", "overloaded", "session-lost", "unauthorised"] as const)(
    "never counts what is judged as %s",
    async (judgement) => {
      const bench = poolBench([circuitBreaker(QUICK)]);
      bench.connector.onRequest.always(judged(judgement));
      await callMany(bench, 20);
      expect(bench.pool.circuitBreaker.getStats()).toMatchObject({ state: "closed", failureCount: 0 });
    },
  );

  it.each(["not-sent", "outcome-unknown", "timed-out"] as const)("counts what is judged as %s", async (judgement) => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    bench.connector.onRequest.always(judged(judgement));
    await callMany(bench, 3);
    expect(bench.pool.circuitBreaker.state).toBe("open");
  });

  it("never counts a full server, nor results with isError", async () => {
    const { pool, connector, clock } = poolBench([circuitBreaker(QUICK)], {
      sharing: "exclusive",
      maxConnections: 1,
      acquireTimeoutMs: 100,
    });
    const lease = await pool.acquire();
    const calls = Array.from({ length: 20 }, () => outcomeOf(pool.request("tools/call", { name: "pay" })));
    await clock.advance(100);
    expect(calls.every(({ error }) => (error as { code?: string }).code === "POOL_EXHAUSTED")).toBe(true);
    lease.release();
    connector.onRequest.always(ok({ content: [], isError: true }));
    for (let call = 0; call < 20; call++) await pool.request("tools/call", { name: "pay" });
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "closed", failureCount: 0 });
  });

  it("forgets failures at a success, so that only failures in a row count", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    for (let round = 0; round < 5; round++) {
      bench.connector.onRequest.next(judged("outcome-unknown"), judged("outcome-unknown"), ok());
      await callMany(bench, 3);
    }
    expect(bench.pool.circuitBreaker.state).toBe("closed");
  });

  it("counts a failed connect once, however many callers it fails, and refuses those who wait when it opens", async () => {
    const { pool, connector, clock } = poolBench([circuitBreaker(QUICK)], { sharing: "exclusive", maxConnections: 1 });
    connector.onConnect.always(fail(new Error("refused")));
    const calls = Array.from({ length: 10 }, () => outcomeOf(pool.request("tools/call", { name: "pay" })));
    await clock.advance(0);
    expect(pool.circuitBreaker.getStats().failureCount).toBeLessThanOrEqual(2);
    await clock.advance(1_000);
    const codes = calls.map(({ error }) => (error as { code?: string } | undefined)?.code);
    expect(codes.filter((code) => code === "CONNECTION_FAILED")).toHaveLength(3);
    expect(codes.filter((code) => code === "CIRCUIT_OPEN")).toHaveLength(7);
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "open", failureCount: 3 });
    expect(connector.connects).toHaveLength(3);
  });

  it("counts the loss of a connection once, however many calls were on it", async () => {
    const { pool, connector, clock } = poolBench([circuitBreaker(QUICK)]);
    connector.onRequest.always(manual());
    const calls = Array.from({ length: 10 }, () => outcomeOf(pool.request("tools/call", { name: "pay" })));
    await clock.settle();
    connector.connection(1).die(new Error("crash"));
    await clock.settle();
    expect(calls.every(({ state }) => state === "rejected")).toBe(true);
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "closed", failureCount: 1 });
  });

  it("counts once what was in flight together on one connection, and each of those that came one after the other", async () => {
    const { pool, connector, clock } = poolBench([circuitBreaker(QUICK)], { attemptTimeoutMs: 100 });
    connector.onRequest.always(untilAborted());
    const together = Array.from({ length: 10 }, () => outcomeOf(pool.request("tools/call", { name: "pay" })));
    await clock.advance(100);
    expect(together.every(({ state }) => state === "rejected")).toBe(true);
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "closed", failureCount: 1 });
    for (let call = 0; call < 2; call++) {
      void outcomeOf(pool.request("tools/call", { name: "pay" }));
      await clock.advance(200);
    }
    expect(pool.circuitBreaker.state).toBe("open");
  });

  it("opens no connection while it is open, not even up to the minimum, and opens the minimum again once it closes", async () => {
    const bench = poolBench([circuitBreaker({ ...QUICK, successThreshold: 1 })], { minConnections: 2 });
    const { pool, connector, clock } = bench;
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    await clock.settle();
    const opened = connector.connects.length;
    await clock.advance(900);
    expect([pool.circuitBreaker.state, connector.connects.length]).toEqual(["open", opened]);
    connector.onRequest.always(ok());
    await clock.advance(100);
    await callMany(bench, 1);
    await clock.advance(60_000);
    expect(pool.stats().connections.ready).toBe(2);
  });

  it("lets the trial open a connection, and opens again when that fails", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    const { pool, connector, clock } = bench;
    connector.onConnect.always(fail(new Error("refused")));
    for (let call = 0; call < 3; call++) {
      void outcomeOf(pool.request("tools/call", { name: "pay" }));
      await clock.advance(200);
    }
    expect(pool.circuitBreaker.state).toBe("open");
    await clock.advance(1_000);
    const failedTrial = outcomeOf(pool.request("tools/call", { name: "pay" }));
    await clock.advance(400);
    expect(failedTrial.error).toMatchObject({ code: "CONNECTION_FAILED" });
    expect(pool.circuitBreaker.state).toBe("open");
    connector.onConnect.always(ok());
    await clock.advance(1_000);
    await pool.request("tools/call", { name: "pay" });
    expect(pool.circuitBreaker.state).toBe("half-open");
  });

  it("refuses leases while it is open, and takes a permit for each request on one that is held", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    const { pool, connector, clock } = bench;
    const lease = await pool.acquire();
    connector.onRequest.always(judged("timed-out"));
    for (let call = 0; call < 3; call++) await lease.request("tools/call", { name: "pay" }).catch(() => {});
    await expect(pool.acquire()).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
    expect(pool.tryAcquire()).toBeUndefined();
    await expect(lease.request("tools/call", { name: "pay" })).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
    expect(connector.requests).toHaveLength(3);
    lease.release();
    await clock.advance(1_000);
    (await pool.acquire()).release();
  });

  it("stays as it is forced until reset() or the opposite force, whatever happens", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    const { pool, connector, clock } = bench;
    pool.circuitBreaker.forceOpen();
    await clock.advance(3_600_000);
    const [refused] = await callMany(bench, 1);
    expect(refused?.error).toMatchObject({ code: "CIRCUIT_OPEN", retryAfterMs: undefined });
    pool.circuitBreaker.forceClose();
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 20);
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "closed", forced: true });
    pool.circuitBreaker.reset();
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "closed", forced: false, failureCount: 0 });
  });

  it("begins anew when connections are made of something else, such as other credentials, and not at other changes", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    const { pool, connector } = bench;
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    pool.reconfigure({ maxConnections: 3 });
    expect(pool.circuitBreaker.state).toBe("open");
    pool.reconfigure({ maxConnections: 3 }, { connect: (request) => connector.connect(request) });
    expect(pool.circuitBreaker.state).toBe("closed");
  });

  it("opens by the share of failed calls within a window, if told so", async () => {
    const bench = poolBench([circuitBreaker({ windowMs: 10_000, failureRate: 0.5, minimumCalls: 4 })]);
    const { pool, connector, clock } = bench;
    connector.onRequest.next(ok(), judged("outcome-unknown"), ok());
    await callMany(bench, 3);
    await clock.advance(11_000);
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    expect(pool.circuitBreaker.state).toBe("closed");
    await callMany(bench, 1);
    expect(pool.circuitBreaker.state).toBe("open");
  });

  it("counts attempts, not calls, beneath retries, and hides no error behind its own", async () => {
    const { pool, connector, clock } = poolBench([
      retry({ initialDelayMs: 1 }),
      circuitBreaker({ ...QUICK, failureThreshold: 2 }),
    ]);
    connector.onRequest.always(judged("outcome-unknown", "lost"));
    const call = outcomeOf(pool.request("tools/list"));
    await clock.advance(1_000);
    expect(connector.requests).toHaveLength(2);
    expect(call.error).toMatchObject({ code: "OUTCOME_UNKNOWN" });
  });

  it("settles the trial of a request that its deadline ends", async () => {
    const bench = poolBench([circuitBreaker(QUICK)], { requestTimeoutMs: 500 });
    const { pool, connector, clock } = bench;
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    await clock.advance(1_000);
    connector.onRequest.always(hang());
    const trial = outcomeOf(pool.request("tools/call", { name: "pay" }));
    await clock.advance(500);
    expect([trial.state, pool.circuitBreaker.state]).toEqual(["rejected", "open"]);
    connector.onRequest.always(untilAborted());
  });

  it("names every bad option", () => {
    const bad = { failureThreshold: 0, halfOpenMaxCalls: 1.5, failureRate: 2, windowMs: 1_000, treshold: 1 } as object;
    expect(() => circuitBreaker(bad)).toThrow(McpConfigurationError);
    for (const name of ["failureThreshold", "halfOpenMaxCalls", "failureRate", "treshold"]) {
      expect(() => circuitBreaker(bad)).toThrow(`circuitBreaker.${name}`);
    }
    expect(() => circuitBreaker({ windowMs: 1_000 })).toThrow("failureRate");
  });

  it.each(pluginContract(() => circuitBreaker()))("$name", ({ run }) => run());
});
