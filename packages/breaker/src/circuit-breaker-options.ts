import type { Clock } from "@mcp-pool/core";
import { ConsecutiveBreaker, type IBackoffFactory, type IBreaker, type IHalfOpenAfterBackoffContext } from "cockatiel";
import { checkOptions } from "./check-options.ts";
import { FailureRateBreaker } from "./failure-rate-breaker.ts";
import type { Outcome } from "./outcome.ts";

/** Options of a circuit breaker. Times are in milliseconds. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. @default 5 */
  readonly failureThreshold?: number | undefined;
  /** How long an open circuit lets nothing through. @default 60_000 */
  readonly recoveryTimeoutMs?: number | undefined;
  /** Good trials that close the circuit. @default 2 */
  readonly successThreshold?: number | undefined;
  /** Trials in flight at one time. @default 1 */
  readonly halfOpenMaxCalls?: number | undefined;
  /** Counts a share of failures within this time, rather than failures in a row; goes with `failureRate`. */
  readonly windowMs?: number | undefined;
  /** Share of failed calls, above 0 and up to 1, that opens the circuit; goes with `windowMs`. */
  readonly failureRate?: number | undefined;
  /** Calls in the window below which the circuit stays closed. @default 10 */
  readonly minimumCalls?: number | undefined;
  /** Time after which a trial that has not ended counts as failed, for calls that bring no deadline. @default 60_000 */
  readonly trialTimeoutMs?: number | undefined;
  /** Makes the cockatiel breaker that decides when to open, once for each pool. */
  readonly breaker?: ((clock: Clock) => IBreaker) | undefined;
  /** A cockatiel back-off in place of `recoveryTimeoutMs`, for pauses that grow when trials keep failing. */
  readonly recoveryBackoff?: IBackoffFactory<IHalfOpenAfterBackoffContext> | undefined;
  /** Judges the error of a call; what it leaves undefined is judged as usual. If it throws, that is a failure. */
  readonly judge?: ((error: unknown) => Outcome | undefined) | undefined;
}

/** Numbers of {@link CircuitBreakerOptions} with the defaults filled in. */
export interface ResolvedCircuitBreakerOptions {
  readonly failureThreshold: number;
  readonly recoveryTimeoutMs: number;
  readonly successThreshold: number;
  readonly halfOpenMaxCalls: number;
  readonly trialTimeoutMs: number;
  readonly windowMs: number | undefined;
  readonly failureRate: number | undefined;
  readonly minimumCalls: number;
}

const RULES = {
  failureThreshold: { least: 1, isWhole: true },
  recoveryTimeoutMs: { least: 1 },
  successThreshold: { least: 1, isWhole: true },
  halfOpenMaxCalls: { least: 1, isWhole: true },
  windowMs: { least: 1 },
  failureRate: { least: Number.MIN_VALUE, most: 1 },
  minimumCalls: { least: 1, isWhole: true },
  trialTimeoutMs: { least: 1 },
} as const;

/**
 * Checks the options and fills in the defaults.
 * @throws {McpConfigurationError} which lists every problem
 */
export function resolveCircuitBreakerOptions(options: CircuitBreakerOptions): ResolvedCircuitBreakerOptions {
  checkOptions("circuitBreaker", options, RULES, ["breaker", "recoveryBackoff", "judge"]);
  const { windowMs, failureRate } = options;
  if ((windowMs === undefined) !== (failureRate === undefined)) {
    const missing = windowMs === undefined ? "windowMs" : "failureRate";
    checkOptions("circuitBreaker", { [missing]: Number.NaN }, RULES, []);
  }
  return {
    failureThreshold: options.failureThreshold ?? 5,
    recoveryTimeoutMs: options.recoveryTimeoutMs ?? 60_000,
    successThreshold: options.successThreshold ?? 2,
    halfOpenMaxCalls: options.halfOpenMaxCalls ?? 1,
    trialTimeoutMs: options.trialTimeoutMs ?? 60_000,
    windowMs,
    failureRate,
    minimumCalls: options.minimumCalls ?? 10,
  };
}

/** Makes what decides when the circuit opens. */
export function createBreaker(options: CircuitBreakerOptions, clock: Clock): IBreaker {
  const { failureThreshold, windowMs, failureRate, minimumCalls } = resolveCircuitBreakerOptions(options);
  if (options.breaker !== undefined) return options.breaker(clock);
  if (windowMs === undefined || failureRate === undefined) return new ConsecutiveBreaker(failureThreshold);
  return new FailureRateBreaker({ windowMs, failureRate, minimumCalls, clock });
}
