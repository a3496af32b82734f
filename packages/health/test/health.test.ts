import { McpConfigurationError, RequestFailure } from "@mcp-pool/core";
import {
  after,
  fail,
  hang,
  judged,
  ok,
  outcomeOf,
  type PoolBench,
  pluginContract,
  untilAborted,
} from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { type HealthOptions, health } from "../src/index.ts";
import { poolBench } from "./pool-bench.ts";

const QUICK: HealthOptions = { intervalMs: 1_000, timeoutMs: 200, failureThreshold: 3, successThreshold: 2 };

/** Opens connections and lets time go on to the next check. */
async function opened(bench: PoolBench, count = 1): Promise<void> {
  const leases = [];
  for (let index = 0; index < count; index++) leases.push(await bench.pool.acquire());
  for (const lease of leases) lease.release();
}

describe("health checks", () => {
  it("ask connections that are quiet, once in an interval, and tell that they passed", async () => {
    const bench = poolBench([health(QUICK)]);
    const { pool, connector, clock, recorder } = bench;
    await opened(bench);
    expect(pool.health.status.status).toBe("unknown");
    await clock.advance(3_000);
    expect(connector.connection(1).probes).toBe(3);
    expect(recorder.of("health-check-passed").map(({ passesInRow }) => passesInRow)).toEqual([1, 2, 3]);
    expect(pool.health.status).toMatchObject({
      status: "healthy",
      checksPerformed: 3,
      checksFailed: 0,
      consecutivePasses: 3,
      lastCheckTime: clock.epochMs(),
    });
  });

  it("take recent traffic for proof, and ask nothing then", async () => {
    const bench = poolBench([health(QUICK)]);
    const { pool, connector, clock, recorder } = bench;
    for (let second = 0; second < 30; second++) {
      await pool.request("ping");
      await clock.advance(100);
    }
    expect(connector.connection(1).probes).toBe(0);
    expect(recorder.of("health-check-passed")).toHaveLength(3);
    expect(pool.health.status.status).toBe("healthy");
  });

  it("do not count as use: an idle connection still ages out", async () => {
    const bench = poolBench([health(QUICK)], { maxIdleTimeMs: 5_000, cleanupIntervalMs: 1_000 });
    const { connector, clock } = bench;
    await opened(bench);
    await clock.advance(6_500);
    expect(connector.connection(1).closes).toEqual(["idle"]);
  });

  it("take no room: a full connection is asked all the same", async () => {
    const bench = poolBench([health(QUICK)], { maxConnections: 1, maxRequestsPerConnection: 1 });
    const { pool, connector, clock } = bench;
    connector.onRequest.next(after(5_000, ok()));
    const call = outcomeOf(pool.request("tools/call", { name: "slow" }));
    await clock.advance(3_000);
    expect(connector.connection(1).probes).toBe(3);
    await clock.advance(2_000);
    expect(call.state).toBe("resolved");
  });

  it("retire a connection after three failed checks in a row, and not before", async () => {
    const bench = poolBench([health(QUICK)]);
    const { pool, connector, clock, recorder } = bench;
    await opened(bench);
    connector.onProbe.next(fail(new Error("no")), fail(new Error("no")), ok());
    await clock.advance(3_000);
    expect(pool.health.status).toMatchObject({ status: "healthy", checksFailed: 2, consecutiveFailures: 0 });
    connector.onProbe.always(untilAborted());
    await clock.advance(3_300);
    expect(connector.connection(1).closes).toEqual(["probe-failed"]);
    expect(pool.health.status).toMatchObject({ status: "unhealthy", consecutiveFailures: 3 });
    expect(pool.health.status.lastError).toContain("within 200 ms");
    expect(recorder.of("health-check-failed").map(({ failuresInRow }) => failuresInRow)).toEqual([1, 2, 1, 2, 3]);
  });

  it("retire one at once that is gone, or whose session the server has forgotten", async () => {
    for (const judgement of ["not-sent", "session-lost"] as const) {
      const bench = poolBench([health(QUICK)]);
      await opened(bench);
      bench.connector.onProbe.next(fail(new RequestFailure(judgement, "gone")));
      await bench.clock.advance(1_000);
      expect(bench.connector.connection(1).closes).toEqual(["probe-failed"]);
      expect(bench.pool.health.status.consecutiveFailures).toBe(judgement === "not-sent" ? 1 : 0);
    }
  });

  it("spare a server that is busy: silence proves nothing while it works", async () => {
    const bench = poolBench([health(QUICK)]);
    const { pool, connector, clock, recorder } = bench;
    connector.onRequest.next(after(20_000, ok()));
    connector.onProbe.always(untilAborted());
    const call = outcomeOf(pool.request("tools/call", { name: "busy" }));
    await clock.advance(19_999);
    expect(connector.connection(1).probes).toBeGreaterThan(10);
    await clock.advance(1);
    expect(call.state).toBe("resolved");
    expect(connector.connection(1).closes).toEqual([]);
    expect(recorder.of("health-check-failed")).toEqual([]);
  });

  it("ask each connection once at a time, whoever asks", async () => {
    const bench = poolBench([health(QUICK)]);
    const { pool, connector, clock } = bench;
    await opened(bench);
    connector.onProbe.always(after(100, ok()));
    const checks = [pool.health.check(), pool.health.check(), pool.health.check()];
    await clock.advance(100);
    await Promise.all(checks);
    expect(connector.connection(1).probes).toBe(1);
  });

  it("end by their time, even if the probe does not heed its signal", async () => {
    const bench = poolBench([health(QUICK)]);
    const { pool, connector, clock } = bench;
    await opened(bench);
    connector.onProbe.always(hang());
    const check = outcomeOf(pool.health.check());
    await clock.advance(200);
    expect(check.value).toMatchObject({ consecutiveFailures: 1 });
  });

  it("open a connection when somebody asks and there is none, and say what came of it", async () => {
    const { pool, connector, clock } = poolBench([health(QUICK)]);
    expect(await pool.health.check()).toMatchObject({ status: "healthy", checksPerformed: 1 });
    expect(connector.connects).toHaveLength(1);
    connector.connection(1).die(new Error("crash"));
    connector.onConnect.always(fail(new Error("refused")));
    await clock.settle();
    const check = outcomeOf(pool.health.check());
    await clock.advance(200);
    expect(check.value).toMatchObject({ consecutiveFailures: 1, lastError: expect.stringContaining("refused") });
  });

  it("open none by themselves, as long as nobody needs one", async () => {
    const { connector, clock } = poolBench([health(QUICK)]);
    await clock.advance(10_000);
    expect(connector.connects).toEqual([]);
  });

  it("bring the minimum back, however long the server was away", async () => {
    const bench = poolBench([health(QUICK)], { minConnections: 1 });
    const { connector, clock, pool } = bench;
    await opened(bench);
    connector.onConnect.always(fail(new Error("refused")));
    connector.connection(1).die();
    await clock.advance(60_000);
    connector.onConnect.always(ok());
    await clock.advance(31_000);
    expect(pool.stats().connections.ready).toBe(1);
  });

  it.each([
    ["ping", "ping", undefined],
    ["discover", "server/discover", undefined],
    ["list_tools", "tools/list", undefined],
    [{ tool: "status", arguments: { deep: true } }, "tools/call", { name: "status", arguments: { deep: true } }],
  ] as const)("ask by %o, past the line and the counters", async (checkMethod, method, params) => {
    const { pool, connector } = poolBench([health({ ...QUICK, checkMethod })]);
    expect(await pool.health.check()).toMatchObject({ status: "healthy" });
    expect(connector.requests).toMatchObject([{ method, params }]);
    expect(pool.stats().counters).toMatchObject({ requests: 0, borrowed: 0 });
  });

  it("ask by a function, and take its rejection for a failure", async () => {
    let isWell = true;
    const checkMethod: HealthOptions["checkMethod"] = async (client) => {
      await client.callTool({ name: "status" });
      if (!isWell) throw new Error("unwell");
    };
    const { pool } = poolBench([health({ ...QUICK, checkMethod })]);
    expect(await pool.health.check()).toMatchObject({ consecutivePasses: 1 });
    isWell = false;
    expect(await pool.health.check()).toMatchObject({
      consecutiveFailures: 1,
      lastError: expect.stringContaining("unwell"),
    });
  });

  it("take 'method not found', back-pressure and refused credentials for signs of life", async () => {
    const { pool, connector } = poolBench([health({ ...QUICK, checkMethod: "ping" })]);
    for (const judgement of ["answered", "overloaded", "unauthorised"] as const) {
      connector.onRequest.next(judged(judgement));
      expect(await pool.health.check()).toMatchObject({ status: "healthy", consecutiveFailures: 0 });
    }
  });

  it("fail when the tool that tells answers with isError", async () => {
    const { pool, connector } = poolBench([health({ ...QUICK, checkMethod: { tool: "status" } })]);
    connector.onRequest.next(ok({ content: [], isError: true }));
    expect(await pool.health.check()).toMatchObject({ consecutiveFailures: 1 });
  });

  it("vary their interval, so that pools don't ask in step", async () => {
    const dueAt = async (random: number) => {
      const bench = poolBench([health({ ...QUICK, intervalMs: 10_000 })], { cleanupIntervalMs: 999_999 });
      bench.clock.setRandom(random);
      await opened(bench);
      const timers = bench.clock.pending.map((timer) => timer.dueAt - bench.clock.now());
      return timers;
    };
    expect(await dueAt(0)).toContain(9_000);
    expect(await dueAt(0.999_999)).toContainEqual(expect.closeTo(11_000, -1));
  });

  it("name every bad option", () => {
    const bad = { intervalMs: 0, failureThreshold: 1.5, checkMethod: "pong", interval: 1 } as object;
    expect(() => health(bad)).toThrow(McpConfigurationError);
    for (const name of ["intervalMs", "failureThreshold", "checkMethod", "interval:"]) {
      expect(() => health(bad)).toThrow(`healthCheck.${name}`);
    }
  });

  it.each(pluginContract(() => health()))("$name", ({ run }) => run());
});

describe("a pool without health checks", () => {
  it("names the package that has them", () => {
    const { pool } = poolBench([]);
    expect(() => pool.health).toThrow("@mcp-pool/health");
  });
});
