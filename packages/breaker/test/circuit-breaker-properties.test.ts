import { FakeClock } from "@mcp-pool/core/testing";
import { CircuitState } from "cockatiel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CircuitBreaker, type CircuitTransition, FailureRateBreaker, type Outcome, type Permit } from "../src/index.ts";

const SEQUENCES = Number(process.env.BREAKER_SEQUENCES ?? 50_000);

type Step =
  | { readonly do: "call" }
  | { readonly do: "settle"; readonly index: number; readonly outcome: Outcome }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "connect-failed"; readonly ageMs: number }
  | { readonly do: "probe" | "pass" | "trip" | "force-open" | "force-close" | "reset" };

const outcome = fc.constantFrom<Outcome>("success", "failure", "failure", "neutral");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Step>({ do: "call" }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("settle" as const), index: fc.nat(20), outcome }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 10, 49, 50, 100, 250) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("connect-failed" as const), ageMs: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: "probe" }, { do: "pass" }, { do: "trip" }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: "force-open" }, { do: "force-close" }, { do: "reset" }) },
);
interface Settings {
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly halfOpenMaxCalls: number;
  readonly steps: readonly Step[];
}

const program: fc.Arbitrary<Settings> = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  successThreshold: fc.integer({ min: 1, max: 3 }),
  halfOpenMaxCalls: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(step, { minLength: 4, maxLength: 40 }),
});

const RECOVERY_MS = 50;
const TRIAL_MS = 200;

/** Runs one sequence, and checks after each step what must hold. */
class Run {
  readonly clock: FakeClock = new FakeClock();
  readonly breaker: CircuitBreaker;
  readonly transitions: CircuitTransition[] = [];
  readonly halfOpenMaxCalls: number;
  held: { readonly permit: Permit; readonly epoch: number; readonly isTrial: boolean }[] = [];
  /** Grows with each change of state, as this test sees it. */
  epoch = 0;
  openedAt: number | undefined;
  now = 0;

  constructor({ failureThreshold, successThreshold, halfOpenMaxCalls }: Settings) {
    this.halfOpenMaxCalls = halfOpenMaxCalls;
    const clock = {
      now: () => this.now,
      epochMs: () => this.now,
      setTimer: () => this.clock.setTimer(() => {}, 0),
      random: () => 0.5,
    };
    this.breaker = new CircuitBreaker(
      { failureThreshold, successThreshold, halfOpenMaxCalls, recoveryTimeoutMs: RECOVERY_MS },
      { clock },
    );
    this.breaker.onTransition((transition) => {
      expect(this.breaker.state, "K6: a listener meets the state it is told of").toBe(transition.to);
      expect(transition.from, "K6: each transition begins where the last one ended").toBe(
        this.transitions.at(-1)?.to ?? "closed",
      );
      this.transitions.push(transition);
      this.epoch++;
      if (transition.to === "open") this.openedAt = this.now;
    });
  }

  step(each: Step): void {
    const { breaker } = this;
    const before = { state: breaker.state, forced: breaker.isForced, count: this.transitions.length };
    switch (each.do) {
      case "call":
        this.call();
        break;
      case "settle": {
        const [own] = this.held.splice(each.index % Math.max(this.held.length, 1), 1);
        if (own === undefined) break;
        const isStale = own.epoch !== this.epoch;
        const { failureCount, successCount } = breaker.getStats();
        breaker.settle(own.permit, each.outcome, new Error("failed"));
        const after = breaker.getStats();
        if (isStale) {
          expect(this.transitions.length, "K3: a stale result changes no state").toBe(before.count);
          expect([after.failureCount, after.successCount], "K3: nor a count").toEqual([failureCount, successCount]);
        }
        if (each.outcome === "neutral") {
          expect(this.transitions.length, "K5: what is neutral changes no state").toBe(before.count);
          expect([after.failureCount, after.successCount], "K5: nor a count").toEqual([failureCount, successCount]);
        }
        break;
      }
      case "wait":
        this.now += each.ms;
        break;
      case "connect-failed":
        breaker.fail(new Error("refused"), this.now - each.ageMs);
        break;
      case "probe": {
        const permit = breaker.enterProbe(this.now + TRIAL_MS);
        if (permit !== undefined) this.held.push({ permit, epoch: this.epoch, isTrial: true });
        break;
      }
      case "pass":
        breaker.pass(2);
        break;
      case "trip":
        breaker.trip(new Error("unhealthy"));
        break;
      case "force-open":
        breaker.forceOpen();
        expect(breaker.state).toBe("open");
        break;
      case "force-close":
        breaker.forceClose();
        expect(breaker.state).toBe("closed");
        break;
      case "reset":
        breaker.reset();
        expect([breaker.state, breaker.isForced]).toEqual(["closed", false]);
    }
    const isForce = each.do === "force-open" || each.do === "force-close" || each.do === "reset";
    if (before.forced && !isForce) expect(breaker.state, "a forced state sticks").toBe(before.state);
  }

  call(): void {
    const { breaker } = this;
    const wasOpen = breaker.state === "open" && this.openedAt !== undefined;
    const wasForced = breaker.isForced;
    const permit = breaker.enter(this.now + TRIAL_MS);
    if (wasOpen && !wasForced && this.now < (this.openedAt ?? 0) + RECOVERY_MS) {
      expect(permit, "K1: nothing passes an open circuit before its time").toBeUndefined();
      expect(breaker.retryAfterMs).toBeGreaterThan(0);
    }
    if (breaker.state === "open") expect(permit, "K1: nothing passes an open circuit").toBeUndefined();
    if (permit === undefined) return;
    const isTrial = breaker.state === "half-open";
    this.held.push({ permit, epoch: this.epoch, isTrial });
    const trials = this.held.filter((each) => each.isTrial && each.epoch === this.epoch);
    if (isTrial) {
      expect(trials.length, "K2: no more trials than permitted").toBeLessThanOrEqual(this.halfOpenMaxCalls);
      const overdue = trials.find((each) => each.permit.expiresAt <= this.now);
      expect(overdue, "K4: a trial that does not end counts as failed").toBeUndefined();
    }
  }
}

describe("the circuit breaker", () => {
  it(`keeps K1 to K6 in ${SEQUENCES} random sequences`, { timeout: 300_000 }, () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(program, (each) => {
        const run = new Run(each);
        for (const own of each.steps) run.step(own);
        for (const { from, to, isForced } of run.transitions) reached.add(`${from} ${to}${isForced ? " forced" : ""}`);
      }),
      { numRuns: SEQUENCES },
    );
    expect([...reached]).toEqual(
      expect.arrayContaining([
        "closed open",
        "open half-open",
        "half-open closed",
        "half-open open",
        "closed open forced",
      ]),
    );
  });

  it(`keeps K7 in ${SEQUENCES} random sequences: what is older than the window never counts`, {
    timeout: 300_000,
  }, () => {
    const call = fc.record({ gapMs: fc.constantFrom(0, 1, 50, 99, 100, 999, 1_000, 5_000), isFailure: fc.boolean() });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const clock = new FakeClock();
        let now = 10_000;
        const breaker = new FailureRateBreaker({
          windowMs: 1_000,
          failureRate: 0.5,
          minimumCalls: 4,
          clock: Object.assign(Object.create(clock), { now: () => now }),
        });
        const seen: { readonly at: number; readonly isFailure: boolean }[] = [];
        for (const { gapMs, isFailure } of calls) {
          now += gapMs;
          seen.push({ at: now, isFailure });
          if (!isFailure) {
            breaker.success(CircuitState.Closed);
            continue;
          }
          const recent = seen.filter(({ at }) => now - at < 1_000);
          if (breaker.failure()) expect(recent.length).toBeGreaterThanOrEqual(4);
          const counted = breaker.state as readonly { ageMs: number; successes: number; failures: number }[];
          const sum = counted.reduce((total, { successes, failures }) => total + successes + failures, 0);
          expect(sum).toBeLessThanOrEqual(recent.length);
          expect(counted.every(({ ageMs }) => ageMs < 1_000)).toBe(true);
        }
      }),
      { numRuns: SEQUENCES },
    );
  });
});
