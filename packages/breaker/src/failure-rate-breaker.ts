import { type Clock, systemClock } from "@mcp-pool/core";
import { CircuitState, type IBreaker } from "cockatiel";

/** Options of a {@link FailureRateBreaker}. */
export interface FailureRateBreakerOptions {
  /** How far back calls count, in milliseconds. */
  readonly windowMs: number;
  /** Share of failed calls, above 0 and up to 1, from which on the circuit opens. */
  readonly failureRate: number;
  /** Calls in the window below which the circuit stays closed. @default 10 */
  readonly minimumCalls?: number | undefined;
  /** @default the machine's own clock */
  readonly clock?: Clock | undefined;
}

interface Bucket {
  readonly startedAt: number;
  successes: number;
  failures: number;
}

const BUCKETS = 10;

/**
 * A cockatiel breaker that opens at a share of failed calls within a window of time. Unlike cockatiel's `SamplingBreaker`
 * it forgets by the clock, not by the number of calls: what is older than the window never counts.
 */
export class FailureRateBreaker implements IBreaker {
  readonly #options: { readonly windowMs: number; readonly failureRate: number; readonly minimumCalls: number };
  readonly #clock: Clock;
  #buckets: Bucket[] = [];

  constructor({ windowMs, failureRate, minimumCalls = 10, clock = systemClock }: FailureRateBreakerOptions) {
    this.#options = { windowMs, failureRate, minimumCalls };
    this.#clock = clock;
  }

  /** The calls in the window, by age; for cockatiel's `initialState`. */
  get state(): unknown {
    const now = this.#clock.now();
    this.#forget(now);
    return this.#buckets.map(({ startedAt, successes, failures }) => ({ ageMs: now - startedAt, successes, failures }));
  }

  set state(value: unknown) {
    const now = this.#clock.now();
    this.#buckets = Array.isArray(value)
      ? value.map(({ ageMs, successes, failures }) => ({ startedAt: now - ageMs, successes, failures }))
      : [];
  }

  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.#buckets = [];
    else this.#current().successes++;
  }

  failure(): boolean {
    this.#current().failures++;
    const { failureRate, minimumCalls } = this.#options;
    let failures = 0;
    let calls = 0;
    for (const bucket of this.#buckets) {
      failures += bucket.failures;
      calls += bucket.failures + bucket.successes;
    }
    return calls >= minimumCalls && failures / calls >= failureRate;
  }

  #current(): Bucket {
    const now = this.#clock.now();
    this.#forget(now);
    const last = this.#buckets.at(-1);
    if (last !== undefined && now - last.startedAt < this.#options.windowMs / BUCKETS) return last;
    const bucket: Bucket = { startedAt: now, successes: 0, failures: 0 };
    this.#buckets.push(bucket);
    return bucket;
  }

  /** A bucket is dropped as a whole, when the oldest call that may be in it leaves the window. */
  #forget(now: number): void {
    let count = 0;
    while (count < this.#buckets.length && now - (this.#buckets[count]?.startedAt ?? now) >= this.#options.windowMs)
      count++;
    if (count > 0) this.#buckets.splice(0, count);
  }
}
