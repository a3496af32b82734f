import { block, type ConfigSchema, count, duration, numberFrom } from "./schema-parts.ts";

/** How often and how soon a request that may be repeated is tried again. */
export interface RetryConfig {
  /** All tries, the first included. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** Longest pause before the second retry; pauses have full jitter. @default 1_000 */
  readonly initialDelayMs?: number | undefined;
  /** By how much each pause is longer than the one before. @default 2 */
  readonly backoffFactor?: number | undefined;
  /** Longest pause of all. @default 30_000 */
  readonly maxDelayMs?: number | undefined;
}

export const retryConfigSchema: ConfigSchema<RetryConfig> = block({
  maxAttempts: count(1).optional(),
  initialDelayMs: duration(0).optional(),
  backoffFactor: numberFrom(1, 100).optional(),
  maxDelayMs: duration(0).optional(),
});
