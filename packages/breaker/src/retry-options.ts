import type { IBackoffFactory, IRetryBackoffContext } from "cockatiel";
import { checkOptions } from "./check-options.ts";

/** Options of retries. Times are in milliseconds. */
export interface RetryOptions {
  /** Tries in all, the first one included. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** Upper bound of the first delay; each delay is drawn from 0 to its bound. @default 1_000 */
  readonly initialDelayMs?: number | undefined;
  /** Growth of the bound from try to try. @default 2 */
  readonly backoffFactor?: number | undefined;
  /** Upper bound of all delays. @default 30_000 */
  readonly maxDelayMs?: number | undefined;
  /** Tokens of a server's retries: a retry takes 5, or 10 after a time-out; a success gives 1 back. @default 500 */
  readonly budgetTokens?: number | undefined;
  /** Whether a request is repeated that a server refused since it had forgotten the session. @default true */
  readonly repeatAfterSessionLoss?: boolean | undefined;
  /** A cockatiel back-off in place of full jitter. */
  readonly backoff?: IBackoffFactory<IRetryBackoffContext<unknown>> | undefined;
}

/** {@link RetryOptions} with the defaults filled in. */
export interface ResolvedRetryOptions {
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly backoffFactor: number;
  readonly maxDelayMs: number;
  readonly budgetTokens: number;
  readonly repeatAfterSessionLoss: boolean;
  readonly backoff: IBackoffFactory<IRetryBackoffContext<unknown>> | undefined;
}

const RULES = {
  maxAttempts: { least: 1, isWhole: true },
  initialDelayMs: { least: 0 },
  backoffFactor: { least: 1 },
  maxDelayMs: { least: 0 },
  budgetTokens: { least: 0 },
} as const;

/**
 * Checks the options and fills in the defaults.
 * @throws {McpConfigurationError} which lists every problem
 */
export function resolveRetryOptions(options: RetryOptions): ResolvedRetryOptions {
  checkOptions("retry", options, RULES, ["repeatAfterSessionLoss", "backoff"]);
  return {
    maxAttempts: options.maxAttempts ?? 3,
    initialDelayMs: options.initialDelayMs ?? 1_000,
    backoffFactor: options.backoffFactor ?? 2,
    maxDelayMs: options.maxDelayMs ?? 30_000,
    budgetTokens: options.budgetTokens ?? 500,
    repeatAfterSessionLoss: options.repeatAfterSessionLoss ?? true,
    backoff: options.backoff,
  };
}
