import { block, type ConfigSchema, count, duration, flag, numberFrom } from "./schema-parts.ts";

/** How often and how soon a request that may be repeated is tried again. */
export interface RetryConfig {
  /** @default true */
  readonly enabled?: boolean | undefined;
  /** All tries, the first included. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** Longest pause before the second retry; pauses have full jitter. @default 1_000 */
  readonly initialDelayMs?: number | undefined;
  /** By how much each pause is longer than the one before. @default 2 */
  readonly backoffFactor?: number | undefined;
  /** Longest pause of all. @default 30_000 */
  readonly maxDelayMs?: number | undefined;
  /** Tokens in the bucket that bounds retries; each retry takes one, good calls give them back. @default 500 */
  readonly budgetTokens?: number | undefined;
  /** Whether a request that was refused since its session was forgotten is sent once more. @default true */
  readonly repeatAfterSessionLoss?: boolean | undefined;
}

export const retryConfigSchema: ConfigSchema<RetryConfig> = block({
  enabled: flag().optional(),
  maxAttempts: count(1).optional(),
  initialDelayMs: duration(0).optional(),
  backoffFactor: numberFrom(1, 100).optional(),
  maxDelayMs: duration(0).optional(),
  budgetTokens: numberFrom(0, 1_000_000).optional(),
  repeatAfterSessionLoss: flag().optional(),
});
