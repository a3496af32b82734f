import { RequestFailure } from "@mcp-pool/core";
import { hang, judged, manual, ok, outcomeOf, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { circuitBreaker } from "../src/index.ts";
import { callMany, poolBench } from "./pool-bench.ts";

const QUICK = { failureThreshold: 3, recoveryTimeoutMs: 1_000, successThreshold: 1 };
const PAY = ["tools/call", { name: "pay" }] as const;

const lost = () => new RequestFailure("outcome-unknown", "lost");

/** Bugs of other circuit breakers; the numbers are those of docs/known-bugs-of-pools.md. */
describe("a circuit breaker, where others went wrong", () => {
  it("32: reaches half-open after many failures at one time, also after the one that opened it (opossum #385, #276, PR #120)", async () => {
    const bench = poolBench([circuitBreaker(QUICK)], { maxConnections: 20, maxRequestsPerConnection: 1 });
    const { pool, connector, clock } = bench;
    connector.onRequest.always(manual());
    const calls = Array.from({ length: 20 }, () => outcomeOf(pool.request(...PAY)));
    await clock.settle();
    for (const each of [...connector.pending]) each.reject(lost());
    await clock.settle();
    expect(calls.every(({ state }) => state === "rejected")).toBe(true);
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "open", tripCount: 1 });
    connector.onRequest.always(ok());
    await clock.advance(1_000);
    await callMany(bench, 1);
    expect(pool.circuitBreaker.state).toBe("closed");
  });

  it("32: is not held half-open by a trial that never ends (opossum #57, resilience4j #903)", async () => {
    const bench = poolBench([circuitBreaker(QUICK)], { requestTimeoutMs: 5_000 });
    const { pool, connector, clock } = bench;
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    await clock.advance(1_000);
    connector.onRequest.always(hang());
    void outcomeOf(pool.request(...PAY));
    await clock.advance(5_000);
    connector.onRequest.always(ok());
    await clock.advance(1_000);
    await callMany(bench, 1);
    expect(pool.circuitBreaker.state).toBe("closed");
  });

  it("32: asks for no minimum of calls before a failed trial opens it again (opossum #484)", async () => {
    const bench = poolBench([circuitBreaker({ ...QUICK, windowMs: 10_000, failureRate: 0.5, minimumCalls: 4 })]);
    bench.connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 4);
    await bench.clock.advance(1_000);
    const [trial, next] = await callMany(bench, 2);
    expect([trial, next].map((each) => (each?.error as { code?: string } | undefined)?.code)).toEqual([
      "OUTCOME_UNKNOWN",
      "CIRCUIT_OPEN",
    ]);
  });

  it("32: is in one state at any moment, and says which, under load", async () => {
    const bench = poolBench([circuitBreaker(QUICK)]);
    const { pool, connector, clock, recorder } = bench;
    for (let round = 0; round < 200; round++) {
      connector.onRequest.next(...Array.from({ length: round % 5 }, () => judged("outcome-unknown")));
      await callMany(bench, 5);
      expect(["closed", "open", "half-open"]).toContain(pool.circuitBreaker.state);
      if (round % 7 === 0) await clock.advance(1_000);
    }
    const changes = recorder.of("circuit-state-changed");
    expect(changes.length).toBeGreaterThan(10);
    for (const [index, { from }] of changes.entries()) expect(from).toBe(changes[index - 1]?.to ?? "closed");
  });

  it("33: takes the permit back when the user's judge throws in half-open (resilience4j #2324, cockatiel C17)", async () => {
    let isThrowing = false;
    const judge = () => {
      if (isThrowing) throw new Error("judge");
      return undefined;
    };
    const bench = poolBench([circuitBreaker({ ...QUICK, halfOpenMaxCalls: 1, judge })]);
    const { pool, connector, clock } = bench;
    connector.onRequest.always(judged("outcome-unknown"));
    await callMany(bench, 3);
    isThrowing = true;
    for (let round = 0; round < 3; round++) {
      await clock.advance(1_000);
      const [trial] = await callMany(bench, 1);
      expect(trial?.error, "the trial was made").toMatchObject({ code: "OUTCOME_UNKNOWN" });
      expect(pool.circuitBreaker.state).toBe("open");
    }
    connector.onRequest.always(ok());
    await clock.advance(1_000);
    await callMany(bench, 1);
    expect(pool.circuitBreaker.state).toBe("closed");
  });

  it("34: is not opened by what stays here: a full queue, waits that end, aborts (opossum #861, resilience4j #1656)", async () => {
    const bench = poolBench([circuitBreaker(QUICK)], {
      sharing: "exclusive",
      maxConnections: 1,
      maxWaiting: 5,
      acquireTimeoutMs: 100,
    });
    const { pool, connector, clock } = bench;
    connector.onRequest.always(untilAborted());
    const controller = new AbortController();
    const running = outcomeOf(pool.request(...PAY, { signal: controller.signal }));
    await clock.settle();
    const waiting = Array.from({ length: 20 }, () => outcomeOf(pool.request(...PAY)));
    await clock.advance(100);
    controller.abort(new Error("enough"));
    await clock.settle();
    expect([...waiting, running].every(({ state }) => state === "rejected")).toBe(true);
    expect(pool.circuitBreaker.getStats()).toMatchObject({ state: "closed", failureCount: 0 });
  });

  it("34: ends one call that is late, and none beside it (opossum #780)", async () => {
    const { pool, connector, clock } = poolBench([circuitBreaker(QUICK)]);
    connector.onRequest.next(untilAborted(), manual());
    const late = outcomeOf(pool.request(...PAY, { timeoutMs: 100 }));
    const other = outcomeOf(pool.request(...PAY, { timeoutMs: 10_000 }));
    await clock.advance(200);
    expect([late.state, other.state]).toEqual(["rejected", "pending"]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(other.state).toBe("resolved");
  });

  it.each(["success", "failure"] as const)(
    "35: is not changed by the late %s of a call from before it opened (cockatiel C5, ldbc #731)",
    async (kind) => {
      const bench = poolBench([circuitBreaker({ ...QUICK, successThreshold: 2 })]);
      const { pool, connector, clock } = bench;
      connector.onRequest.next(manual());
      const late = outcomeOf(pool.request(...PAY));
      await clock.settle();
      connector.onRequest.always(judged("outcome-unknown"));
      // On a connection of its own, so that it outlives the failures.
      for (let call = 0; call < 3; call++) pool.circuitBreaker.state === "closed" && (await callMany(bench, 1));
      const [pending] = connector.pending;
      expect([pool.circuitBreaker.state, late.state]).toEqual(["open", "pending"]);
      const before = pool.circuitBreaker.getStats();
      if (kind === "success") pending?.resolve();
      else pending?.reject(lost());
      await clock.settle();
      expect(late.state).not.toBe("pending");
      expect(pool.circuitBreaker.getStats()).toMatchObject({
        state: "open",
        failureCount: before.failureCount,
        successCount: 0,
        tripCount: 1,
      });
    },
  );
});
