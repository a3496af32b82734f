import { type Clock, systemClock } from "@mcp-pool/core";
import type { IBackoff, IBackoffFactory } from "cockatiel";

/** Options of a {@link FullJitterBackoff}. */
export interface FullJitterBackoffOptions {
  /** Upper bound of the first delay in milliseconds. */
  readonly initialDelayMs: number;
  readonly backoffFactor: number;
  /** Upper bound of all delays in milliseconds. */
  readonly maxDelayMs: number;
  /** @default the machine's own clock */
  readonly clock?: Clock | undefined;
}

/**
 * A cockatiel back-off with full jitter: each delay is drawn from 0 to a bound that grows from try to try
 * (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
 */
export class FullJitterBackoff implements IBackoffFactory<unknown> {
  readonly #options: FullJitterBackoffOptions;

  constructor(options: FullJitterBackoffOptions) {
    this.#options = options;
  }

  next(): IBackoff<unknown> {
    return this.#at(0);
  }

  #at(step: number): IBackoff<unknown> {
    const { initialDelayMs, backoffFactor, maxDelayMs, clock = systemClock } = this.#options;
    const bound = Math.min(initialDelayMs * backoffFactor ** step, maxDelayMs);
    return { duration: bound * clock.random(), next: () => this.#at(step + 1) };
  }
}
