import { FakeClock, judged, ok, outcomeOf, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { CircuitBreaker, FailureRateBreaker, RetryPolicy, requestTimeout, retry } from "../src/index.ts";
import { poolBench } from "./pool-bench.ts";

const failing = () => Promise.reject(new Error("down"));

/** A call that the test ends. */
function manual(): { readonly call: () => Promise<string>; readonly resolve: () => void; readonly reject: () => void } {
  let resolve = () => {};
  let reject = () => {};
  const promise = new Promise<string>((yes, no) => {
    resolve = () => yes("done");
    reject = () => no(new Error("down"));
  });
  return { call: () => promise, resolve, reject };
}

describe("cockatiel's quirks do not reach users:", () => {
  it("C1: a call that was admitted to the queue is never refused for a newcomer", async () => {
    const { pool, connector, clock } = poolBench([], { sharing: "exclusive", maxConnections: 1, maxWaiting: 1 });
    connector.onRequest.always({ kind: "after", delayMs: 10, next: ok() });
    const first = outcomeOf(pool.request("first"));
    await clock.settle();
    const queued = outcomeOf(pool.request("queued"));
    await clock.advance(10);
    const newcomer = outcomeOf(pool.request("newcomer"));
    await clock.advance(100);
    expect([first.state, queued.state, newcomer.state]).toEqual(["resolved", "resolved", "resolved"]);
    expect(connector.requests.map(({ method }) => method)).toEqual(["first", "queued", "newcomer"]);
  });

  it("C2: an abort ends a queued call at once", async () => {
    const { pool, connector, clock } = poolBench([], { sharing: "exclusive", maxConnections: 1 });
    connector.onRequest.always({ kind: "after", delayMs: 10, next: ok() });
    const controller = new AbortController();
    const first = pool.request("first");
    const queued = outcomeOf(pool.request("queued", {}, { signal: controller.signal }));
    await clock.settle();
    controller.abort(new Error("enough"));
    await clock.settle();
    expect(queued.error).toEqual(new Error("enough"));
    await clock.advance(10);
    await first;
  });

  it("C3: an abort ends the pause between tries, and no further try is made", async () => {
    const clock = new FakeClock();
    const own = new RetryPolicy({ maxAttempts: 5, initialDelayMs: 1_000 }, { isRetryable: () => true, clock });
    const controller = new AbortController();
    let calls = 0;
    const call = outcomeOf(
      own.execute(() => {
        calls++;
        return failing();
      }, controller.signal),
    );
    await clock.settle();
    controller.abort(new Error("enough"));
    await clock.advance(60_000);
    expect([calls, call.error]).toEqual([1, new Error("enough")]);
    expect(clock.pending).toEqual([]);
  });

  it("C3: nor is there one in a pool", async () => {
    const { pool, connector, clock } = poolBench([retry({ initialDelayMs: 1_000 })]);
    connector.onRequest.always(judged("overloaded"));
    const controller = new AbortController();
    const call = outcomeOf(pool.request("tools/list", {}, { signal: controller.signal }));
    await clock.settle();
    controller.abort(new Error("enough"));
    await clock.advance(60_000);
    expect([connector.requests.length, call.error]).toEqual([1, new Error("enough")]);
  });

  it("C4: maxAttempts counts all tries, the first one included", async () => {
    const clock = new FakeClock();
    const own = new RetryPolicy({ maxAttempts: 3 }, { isRetryable: () => true, clock });
    let calls = 0;
    const call = outcomeOf(
      own.execute(() => {
        calls++;
        return failing();
      }),
    );
    await clock.advance(60_000);
    expect([calls, call.state]).toEqual([3, "rejected"]);
  });

  it("C5: the failure of a call from before the break does not re-open a half-open circuit", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 50 }, { clock });
    const late = manual();
    const started = outcomeOf(breaker.execute(late.call));
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    await clock.advance(50);
    await breaker.execute(() => 1);
    late.reject();
    await clock.settle();
    expect([started.state, breaker.state]).toEqual(["rejected", "half-open"]);
  });

  it("C5: nor does the success of one make the count begin anew", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failureThreshold: 2, recoveryTimeoutMs: 50, successThreshold: 1 }, { clock });
    const late = manual();
    const started = outcomeOf(breaker.execute(late.call));
    breaker.trip(new Error("down"));
    await clock.advance(50);
    await breaker.execute(() => 1);
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    late.resolve();
    await clock.settle();
    expect(started.state).toBe("resolved");
    expect(breaker.getStats().failureCount).toBe(1);
  });

  it("C6: callers beyond the permitted trials fail at once, and are told when to come back", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 50, trialTimeoutMs: 500 }, { clock });
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    await clock.advance(50);
    const trial = outcomeOf(breaker.execute(manual().call));
    const others = await Promise.allSettled(Array.from({ length: 99 }, () => breaker.execute(() => 1)));
    expect(others.every(({ status }) => status === "rejected")).toBe(true);
    expect(others[0]).toMatchObject({ reason: { code: "CIRCUIT_OPEN", retryAfterMs: 50 } });
    expect(trial.state).toBe("pending");
  });

  it("C6: a trial that never ends counts as failed, and blocks nobody for ever", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 50, trialTimeoutMs: 500 }, { clock });
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    await clock.advance(50);
    void outcomeOf(breaker.execute(manual().call));
    await clock.advance(500);
    await expect(breaker.execute(() => 1)).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
    await clock.advance(50);
    expect(await breaker.execute(() => 1)).toBe(1);
  });

  it("C7: a circuit that was held open is afterwards what it would have been", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 1_000 }, { clock });
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    const handle = breaker.isolate();
    expect(breaker.getStats()).toMatchObject({ state: "open", forced: true });
    handle.dispose();
    handle.dispose();
    expect(breaker.getStats()).toMatchObject({ state: "open", forced: false });
    await expect(breaker.execute(() => 1)).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
  });

  it("C8: a forced state is not taken along to another process", () => {
    const breaker = new CircuitBreaker();
    breaker.forceOpen();
    const restored = new CircuitBreaker({}, { initialState: JSON.parse(JSON.stringify(breaker)) });
    expect(restored.getStats()).toMatchObject({ state: "closed", forced: false });
  });

  it("C8: an automatic one is, with what is left of its pause", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 1_000 }, { clock });
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    await clock.advance(400);
    const restored = new CircuitBreaker({}, { clock, initialState: JSON.parse(JSON.stringify(breaker)) });
    expect(restored.getStats()).toMatchObject({ state: "open", retryAfterMs: 600 });
  });

  it("C9: a failure after an idle hour is not added to those before it", async () => {
    const clock = new FakeClock();
    const breaker = new FailureRateBreaker({ windowMs: 10_000, failureRate: 0.5, minimumCalls: 5, clock });
    for (let call = 0; call < 4; call++) expect(breaker.failure()).toBe(false);
    await clock.advance(3_600_000);
    expect(breaker.failure()).toBe(false);
  });

  it("C10: a caller's abort is told as the caller's, not as a time-out", async () => {
    const { pool, connector, clock } = poolBench([requestTimeout({ totalMs: 1_000 })]);
    connector.onRequest.always(untilAborted());
    const controller = new AbortController();
    const aborted = outcomeOf(pool.request("tools/list", {}, { signal: controller.signal }));
    const late = outcomeOf(pool.request("tools/list"));
    await clock.advance(500);
    controller.abort(new Error("enough"));
    await clock.advance(500);
    expect(aborted.error).toEqual(new Error("enough"));
    expect(late.error).toMatchObject({ code: "TIMEOUT", phase: "request" });
  });

  it("C11: an error that does not count is no success of a trial either", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker(
      { failureThreshold: 1, recoveryTimeoutMs: 50, judge: (error) => (error === "mine" ? "neutral" : undefined) },
      { clock },
    );
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    await clock.advance(50);
    for (let trial = 0; trial < 5; trial++) {
      await expect(breaker.execute(() => Promise.reject("mine"))).rejects.toBe("mine");
    }
    expect(breaker.getStats()).toMatchObject({ state: "half-open", successCount: 0 });
  });

  it("C12: a listener that throws neither hides the call's error nor other listeners", async () => {
    const reported: unknown[] = [];
    const told: unknown[] = [];
    const breaker = new CircuitBreaker({ failureThreshold: 1 }, { onError: (error) => reported.push(error) });
    breaker.onBreak(() => {
      throw new Error("listener");
    });
    breaker.onBreak((reason) => told.push(reason));
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    expect(reported).toEqual([new Error("listener")]);
    expect(told).toEqual([{ error: new Error("down") }]);
  });

  it("C14: the state it is given is neither changed nor kept", async () => {
    const given = { isOpen: false, openUntil: 0, attempt: 0, breaker: 1 };
    const before = structuredClone(given);
    const breaker = new CircuitBreaker({ failureThreshold: 2 }, { initialState: given });
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    expect(breaker.state).toBe("open");
    expect(given).toEqual(before);
  });

  it("C17: a judge that throws during a trial does not close the circuit", async () => {
    const clock = new FakeClock();
    let isThrowing = false;
    const judge = () => {
      if (isThrowing) throw new Error("judge");
      return undefined;
    };
    const breaker = new CircuitBreaker({ failureThreshold: 1, recoveryTimeoutMs: 50, judge }, { clock });
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    await clock.advance(50);
    isThrowing = true;
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    expect(breaker.state).toBe("open");
  });
});
