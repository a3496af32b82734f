import { block, type ConfigSchema, count, duration, flag, numberFrom } from "./schema-parts.ts";

/** When calls to a failing server are refused at once, and when they are tried again. */
export interface CircuitBreakerConfig {
  /** @default true */
  readonly enabled?: boolean | undefined;
  /** Failures in a row that open the circuit. @default 5 */
  readonly failureThreshold?: number | undefined;
  /** Time for which it stays open. @default 60_000 */
  readonly recoveryTimeoutMs?: number | undefined;
  /** Good trials that close it again. @default 2 */
  readonly successThreshold?: number | undefined;
  /** Trials at one time while half-open. @default 1 */
  readonly halfOpenMaxCalls?: number | undefined;
  /** Counts the rate of failures over this time, in place of failures in a row. @default off */
  readonly windowMs?: number | undefined;
  /** Rate of failures that opens the circuit, from 0 to 1; only with `windowMs`. */
  readonly failureRate?: number | undefined;
  /** Calls in the window below which the rate says nothing; only with `windowMs`. */
  readonly minimumCalls?: number | undefined;
  /** Time that one trial may take while half-open. */
  readonly trialTimeoutMs?: number | undefined;
}

export const circuitBreakerConfigSchema: ConfigSchema<CircuitBreakerConfig> = block({
  enabled: flag().optional(),
  failureThreshold: count(1).optional(),
  recoveryTimeoutMs: duration().optional(),
  successThreshold: count(1).optional(),
  halfOpenMaxCalls: count(1).optional(),
  windowMs: duration().optional(),
  failureRate: numberFrom(0, 1).optional(),
  minimumCalls: count(1).optional(),
  trialTimeoutMs: duration().optional(),
});
