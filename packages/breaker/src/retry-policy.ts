import { type Clock, systemClock } from "@mcp-pool/core";
import type {
  Event,
  FailureReason,
  IBackoff,
  IFailureEvent,
  IPolicy,
  IRetryBackoffContext,
  IRetryContext,
  ISuccessEvent,
} from "cockatiel";
import { abortableDelay } from "./abortable-delay.ts";
import { FullJitterBackoff } from "./full-jitter-backoff.ts";
import { type RetryOptions, resolveRetryOptions } from "./retry-options.ts";
import { SafeEvent } from "./safe-event.ts";

/** What a retry policy is told beside its options. */
export interface RetryPolicyEnvironment {
  /** Whether an error is worth another try. A function that throws says no. */
  readonly isRetryable: (error: unknown) => boolean;
  /** @default the machine's own clock */
  readonly clock?: Clock | undefined;
  /** Is told what listeners and `isRetryable` throw. @default it is dropped */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Retries as a cockatiel policy, for any call: with full jitter, counting the first try among `maxAttempts`, and ending
 * at once when its signal aborts. In a pool use the plugin `retry()`, which knows what may be repeated.
 */
export class RetryPolicy implements IPolicy<IRetryContext> {
  declare readonly _altReturn: never;
  readonly onSuccess: Event<ISuccessEvent>;
  readonly onFailure: Event<IFailureEvent>;
  /** Fires before each pause. */
  readonly onRetry: Event<FailureReason<unknown> & { delay: number; attempt: number }>;
  readonly onGiveUp: Event<FailureReason<unknown>>;
  readonly #successes: SafeEvent<ISuccessEvent>;
  readonly #failures: SafeEvent<IFailureEvent>;
  readonly #retries: SafeEvent<FailureReason<unknown> & { delay: number; attempt: number }>;
  readonly #givenUp: SafeEvent<FailureReason<unknown>>;
  readonly #options: ReturnType<typeof resolveRetryOptions>;
  readonly #environment: RetryPolicyEnvironment;
  readonly #clock: Clock;

  /** @throws {McpConfigurationError} which lists every bad option */
  constructor(options: RetryOptions, environment: RetryPolicyEnvironment) {
    const report = (error: unknown) => environment.onError?.(error);
    this.#options = resolveRetryOptions(options);
    this.#environment = environment;
    this.#clock = environment.clock ?? systemClock;
    this.#successes = new SafeEvent(report);
    this.#failures = new SafeEvent(report);
    this.#retries = new SafeEvent(report);
    this.#givenUp = new SafeEvent(report);
    this.onSuccess = this.#successes.event;
    this.onFailure = this.#failures.event;
    this.onRetry = this.#retries.event;
    this.onGiveUp = this.#givenUp.event;
  }

  /** Runs a call until it succeeds, may not be repeated, or the tries are used up. */
  async execute<T>(fn: (context: IRetryContext) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T> {
    const own = signal ?? new AbortController().signal;
    let backoff: IBackoff<IRetryBackoffContext<unknown>> | undefined;
    for (let attempt = 0; ; attempt++) {
      own.throwIfAborted();
      const startedAt = this.#clock.now();
      try {
        const result = await fn({ attempt, signal: own });
        this.#successes.emit({ duration: this.#clock.now() - startedAt });
        return result;
      } catch (error) {
        const handled = !own.aborted && this.#isRetryable(error);
        this.#failures.emit({ duration: this.#clock.now() - startedAt, handled, reason: { error } });
        if (!handled || attempt + 1 >= this.#options.maxAttempts) {
          this.#givenUp.emit({ error });
          throw error;
        }
        const context = { attempt: attempt + 1, signal: own, result: { error } };
        const factory = this.#options.backoff ?? new FullJitterBackoff({ ...this.#options, clock: this.#clock });
        backoff = (backoff ?? factory).next(context);
        this.#retries.emit({ error, delay: backoff.duration, attempt: attempt + 1 });
        await abortableDelay(this.#clock, backoff.duration, own).promise;
      }
    }
  }

  #isRetryable(error: unknown): boolean {
    try {
      return this.#environment.isRetryable(error);
    } catch (thrown) {
      this.#environment.onError?.(thrown);
      return false;
    }
  }
}
