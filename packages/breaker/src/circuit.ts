import type { CircuitState as CircuitStateName, Clock } from "@mcp-pool/core";
import { CircuitState, type IBackoff, type IBreaker, type IHalfOpenAfterBackoffContext } from "cockatiel";
import {
  type CircuitBreakerOptions,
  createBreaker,
  type ResolvedCircuitBreakerOptions,
  resolveCircuitBreakerOptions,
} from "./circuit-breaker-options.ts";
import type { Outcome } from "./outcome.ts";

/** The right to make one call. */
export interface Permit {
  /** Clock time in milliseconds after which a trial counts as failed. */
  readonly expiresAt: number;
}

/** The state of a circuit, to be kept beyond its process. A forced state is not part of it. */
export interface CircuitSnapshot {
  readonly isOpen: boolean;
  /** Milliseconds since the epoch until which it is open. */
  readonly openUntil: number;
  /** How often it has opened in a row. */
  readonly attempt: number;
  readonly breaker: unknown;
}

/** What a circuit asks of, and tells, its circuit breaker. */
export interface CircuitHost {
  readonly clock: Clock;
  /** For how long, after the pause, calls leave the first trial to a background probe. */
  probeGraceMs(): number;
  /** Is told what breakers and back-offs of users throw. */
  onError(error: unknown): void;
  /** The state has changed; the change is complete. */
  onChanged(from: CircuitStateName, error: unknown): void;
}

type Backoff = IBackoff<IHalfOpenAfterBackoffContext> | undefined;

type State =
  | { readonly kind: "closed"; readonly permit: Permit }
  | { readonly kind: "open"; readonly until: number; readonly attempt: number; readonly backoff: Backoff }
  | {
      readonly kind: "half-open";
      readonly attempt: number;
      readonly backoff: Backoff;
      readonly trials: Set<Permit>;
      successes: number;
    };

/**
 * The automatic state of a circuit breaker. A permit belongs to the state that gave it, so that the result of a call
 * from before the last change changes nothing.
 */
export class Circuit {
  readonly config: ResolvedCircuitBreakerOptions;
  readonly #options: CircuitBreakerOptions;
  readonly #host: CircuitHost;
  readonly #breaker: IBreaker;
  #state: State = closedState();
  #since: number;
  failureCount = 0;
  lastFailureAt: number | undefined;

  /** @throws {McpConfigurationError} which lists every bad option */
  constructor(options: CircuitBreakerOptions, host: CircuitHost) {
    this.#options = options;
    this.#host = host;
    this.config = resolveCircuitBreakerOptions(options);
    this.#breaker = createBreaker(options, host.clock);
    this.#since = host.clock.now();
  }

  get kind(): CircuitStateName {
    return this.#state.kind;
  }

  get successCount(): number {
    return this.#state.kind === "half-open" ? this.#state.successes : 0;
  }

  /** Milliseconds until it is worth asking again; undefined while it is closed. */
  get retryAfterMs(): number | undefined {
    const now = this.#host.clock.now();
    const state = this.#state;
    if (state.kind === "closed") return undefined;
    if (state.kind === "open") {
      return Math.max(state.until + (now < state.until ? 0 : this.#host.probeGraceMs()) - now, 0);
    }
    if (state.trials.size < this.config.halfOpenMaxCalls) return 0;
    const leftMs = [...state.trials].map(({ expiresAt }) => expiresAt - now);
    return Math.max(Math.min(...leftMs, this.config.recoveryTimeoutMs), 1);
  }

  /** Takes the right to make a call, if one may pass now. */
  enter(expiresAt: number): Permit | undefined {
    if (this.#state.kind === "closed") return this.#state.permit;
    return this.enterTrial(expiresAt, this.#state.kind === "open" ? this.#host.probeGraceMs() : 0);
  }

  /** Takes the right to make a trial, if it is time for one. */
  enterTrial(expiresAt: number, graceMs = 0): Permit | undefined {
    const now = this.#host.clock.now();
    if (this.#state.kind === "open") {
      if (now < this.#state.until + graceMs) return undefined;
      const { attempt, backoff } = this.#state;
      this.#become({ kind: "half-open", attempt, backoff, trials: new Set(), successes: 0 }, undefined);
    }
    const state = this.#state;
    // A listener may have changed the state.
    if (state.kind !== "half-open") return undefined;
    for (const trial of state.trials) {
      if (trial.expiresAt > now) continue;
      this.#fail(new Error("a trial of the circuit breaker did not end in time"));
      return undefined;
    }
    if (state.trials.size >= this.config.halfOpenMaxCalls) return undefined;
    const permit: Permit = { expiresAt };
    state.trials.add(permit);
    return permit;
  }

  /** Takes a permit back, with what its call showed. */
  settle(permit: Permit, outcome: Outcome, error: unknown): void {
    const state = this.#state;
    const isTrial = state.kind === "half-open" && state.trials.delete(permit);
    if (!isTrial && !(state.kind === "closed" && state.permit === permit)) return;
    if (outcome === "failure") this.#fail(error);
    else if (outcome === "success" && isTrial) this.pass(this.config.successThreshold);
    else if (outcome === "success") this.#succeed();
  }

  /** Takes a permit back without counting anything. */
  drop(permit: Permit): void {
    if (this.#state.kind === "half-open") this.#state.trials.delete(permit);
  }

  /** Takes note of a failure that had no permit, such as a failed connect; one that began before the last change says nothing. */
  fail(error: unknown, startedAt: number): void {
    if (this.#state.kind !== "open" && startedAt >= this.#since) this.#fail(error);
  }

  /** Opens the circuit at once, since somebody else has counted the failures. */
  trip(error: unknown): void {
    if (this.#state.kind === "open") return;
    this.#noteFailure();
    this.#open(error);
  }

  /** Counts one good trial; the last of `successThreshold` closes the circuit. */
  pass(successThreshold: number): void {
    if (this.#state.kind !== "half-open") return;
    if (++this.#state.successes >= successThreshold) this.close();
  }

  /** Closes the circuit, and forgets all failures. */
  close(): void {
    this.failureCount = 0;
    // As cockatiel does when a circuit closes: its breakers forget at a success in half-open.
    this.#ask(() => this.#breaker.success(CircuitState.HalfOpen));
    this.#become(closedState(), undefined);
  }

  snapshot(): CircuitSnapshot {
    const { clock } = this.#host;
    const state = this.#state;
    const breaker: unknown = structuredClone(this.#breaker.state);
    if (state.kind === "closed") return { isOpen: false, openUntil: 0, attempt: 0, breaker };
    const leftMs = state.kind === "open" ? Math.max(state.until - clock.now(), 0) : 0;
    return { isOpen: true, openUntil: clock.epochMs() + leftMs, attempt: state.attempt, breaker };
  }

  restore({ isOpen, openUntil, attempt, breaker }: CircuitSnapshot): void {
    const { clock } = this.#host;
    this.#ask(() => {
      this.#breaker.state = structuredClone(breaker);
    });
    const leftMs = Math.max(openUntil - clock.epochMs(), 0);
    if (isOpen) this.#state = { kind: "open", until: clock.now() + leftMs, attempt, backoff: undefined };
  }

  #succeed(): void {
    this.failureCount = 0;
    // What most calls end with needs no function of its own.
    try {
      this.#breaker.success(CircuitState.Closed);
    } catch (error) {
      this.#host.onError(error);
    }
  }

  #fail(error: unknown): void {
    this.#noteFailure();
    const isTrial = this.#state.kind === "half-open";
    if (isTrial || this.#ask(() => this.#breaker.failure(CircuitState.Closed)) === true) this.#open(error);
  }

  #noteFailure(): void {
    this.failureCount++;
    this.lastFailureAt = this.#host.clock.now();
  }

  #open(error: unknown): void {
    const { attempt, backoff } = this.#state.kind === "closed" ? { attempt: 0, backoff: undefined } : this.#state;
    const context = { attempt: attempt + 1, result: { error }, signal: new AbortController().signal };
    const next = this.#ask(() => (backoff ?? this.#options.recoveryBackoff)?.next(context));
    const until = this.#host.clock.now() + (next?.duration ?? this.config.recoveryTimeoutMs);
    this.#become({ kind: "open", until, attempt: attempt + 1, backoff: next }, error);
  }

  /** A breaker or a back-off of a user's may throw; then it has said nothing. */
  #ask<T>(question: () => T): T | undefined {
    try {
      return question();
    } catch (error) {
      this.#host.onError(error);
      return undefined;
    }
  }

  #become(state: State, error: unknown): void {
    const from = this.#state.kind;
    this.#state = state;
    this.#since = this.#host.clock.now();
    if (from !== state.kind) this.#host.onChanged(from, error);
  }
}

function closedState(): State {
  return { kind: "closed", permit: { expiresAt: Infinity } };
}
