import {
  type CircuitBreaker as CircuitBreakerHandle,
  CircuitBreakerOpenError,
  type CircuitBreakerStats,
  type CircuitState as CircuitStateName,
  type Clock,
  systemClock,
} from "@mcp-pool/core";
import type {
  CircuitState,
  Event,
  FailureReason,
  IDefaultPolicyContext,
  IDisposable,
  IFailureEvent,
  IPolicy,
  ISuccessEvent,
} from "cockatiel";
import { Circuit, type CircuitSnapshot, type Permit } from "./circuit.ts";
import type { CircuitBreakerOptions } from "./circuit-breaker-options.ts";
import { CircuitEvents, type CircuitTransition } from "./circuit-events.ts";
import { type Outcome, outcomeOfAny } from "./outcome.ts";
import { SafeEvent } from "./safe-event.ts";

/** What a circuit breaker is told beside its options. */
export interface CircuitBreakerEnvironment {
  /** @default the machine's own clock */
  readonly clock?: Clock | undefined;
  /** Name of the server, for messages. */
  readonly serverName?: string | undefined;
  /** For how long, after the pause, calls leave the first trial to a background probe. @default not at all */
  readonly probeGraceMs?: (() => number) | undefined;
  /** Is told what listeners, breakers and back-offs of users throw. @default it is dropped */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** What `toJSON` of an earlier circuit breaker returned. */
  readonly initialState?: CircuitSnapshot | undefined;
}

/** Held by calls while the circuit is forced closed: their results count nothing. */
const FREE: Permit = { expiresAt: Infinity };

/**
 * A circuit breaker that is a cockatiel policy, and takes any cockatiel breaker and back-off. Beyond cockatiel's own:
 * calls beyond the permitted trials fail at once, results from before the last change of state change nothing, a trial
 * that never ends fails in the end, and forcing keeps the automatic state.
 */
export class CircuitBreaker implements CircuitBreakerHandle, IPolicy {
  declare readonly _altReturn: never;
  readonly onSuccess: Event<ISuccessEvent>;
  readonly onFailure: Event<IFailureEvent>;
  readonly onBreak: Event<FailureReason<unknown> | { isolated: true }>;
  readonly onReset: Event<void>;
  readonly onHalfOpen: Event<void>;
  readonly onStateChange: Event<CircuitState>;
  /** Fires after each change of the state that callers meet, forced ones included. */
  readonly onTransition: Event<CircuitTransition>;
  readonly #options: CircuitBreakerOptions;
  readonly #environment: CircuitBreakerEnvironment;
  readonly #clock: Clock;
  readonly #circuit: Circuit;
  readonly #events: CircuitEvents;
  readonly #successes: SafeEvent<ISuccessEvent>;
  readonly #failures: SafeEvent<IFailureEvent>;
  #forced: "open" | "closed" | undefined;
  #isolations = 0;
  #tripCount = 0;
  #changedAt: number;
  #hasChanged = false;

  /** @throws {McpConfigurationError} which lists every bad option */
  constructor(options: CircuitBreakerOptions = {}, environment: CircuitBreakerEnvironment = {}) {
    const onError = (error: unknown) => environment.onError?.(error);
    const clock = environment.clock ?? systemClock;
    this.#options = options;
    this.#environment = environment;
    this.#clock = clock;
    this.#changedAt = clock.now();
    this.#circuit = new Circuit(options, {
      clock,
      probeGraceMs: () => environment.probeGraceMs?.() ?? 0,
      onError,
      onChanged: (from, error) => {
        if (this.#forced === undefined) this.#tell(from, false, error);
      },
    });
    this.#events = new CircuitEvents(onError);
    this.#successes = new SafeEvent(onError);
    this.#failures = new SafeEvent(onError);
    this.onSuccess = this.#successes.event;
    this.onFailure = this.#failures.event;
    this.onBreak = this.#events.onBreak.event;
    this.onReset = this.#events.onReset.event;
    this.onHalfOpen = this.#events.onHalfOpen.event;
    this.onStateChange = this.#events.onStateChange.event;
    this.onTransition = this.#events.onTransition.event;
    if (environment.initialState !== undefined) this.#circuit.restore(environment.initialState);
  }

  get state(): CircuitStateName {
    return this.#forced ?? this.#circuit.kind;
  }

  /** Whether the state is held until `reset()` or the opposite force. */
  get isForced(): boolean {
    return this.#forced !== undefined;
  }

  /** Milliseconds until it is worth asking again; undefined while calls pass, and while the circuit is held open. */
  get retryAfterMs(): number | undefined {
    return this.isForced ? undefined : this.#circuit.retryAfterMs;
  }

  /** Whether a call that takes no permit, such as an acquire, may pass. */
  get isPassable(): boolean {
    return this.state === "closed" || this.retryAfterMs === 0;
  }

  getStats(): CircuitBreakerStats {
    const now = this.#clock.now();
    const toEpoch = (at: number) => Math.round(this.#clock.epochMs() - (now - at));
    const { failureCount, successCount, lastFailureAt, config } = this.#circuit;
    return {
      state: this.state,
      forced: this.isForced,
      failureCount,
      successCount,
      tripCount: this.#tripCount,
      lastFailureTime: lastFailureAt === undefined ? undefined : toEpoch(lastFailureAt),
      lastStateChange: this.#hasChanged ? toEpoch(this.#changedAt) : undefined,
      timeSinceLastFailureMs: lastFailureAt === undefined ? undefined : now - lastFailureAt,
      timeInCurrentStateMs: now - this.#changedAt,
      retryAfterMs: this.retryAfterMs,
      config: { ...config },
    };
  }

  /** Lets nothing through until `reset()` or `forceClose()`. */
  forceOpen(): void {
    this.#force("open");
  }

  /** Lets everything through until `reset()` or `forceOpen()`. */
  forceClose(): void {
    this.#isolations = 0;
    this.#force("closed");
  }

  /** Takes a force back, forgets all failures, and closes the circuit. */
  reset(): void {
    const from = this.state;
    const wasForced = this.isForced;
    // While it is forced, the circuit's own change is not told.
    this.#forced ??= from === "open" ? "open" : "closed";
    this.#circuit.close();
    this.#forced = undefined;
    this.#isolations = 0;
    this.#tell(from, wasForced, undefined);
  }

  /** Holds the circuit open until the handle is disposed of; then it is what it would have been. */
  isolate(): IDisposable {
    this.#isolations++;
    this.#force("open");
    let isOver = false;
    return {
      dispose: () => {
        if (isOver || this.#isolations === 0) return;
        isOver = true;
        if (--this.#isolations > 0) return;
        this.#forced = undefined;
        this.#tell("open", true, undefined);
      },
    };
  }

  /**
   * Runs a call, as a cockatiel policy does.
   * @throws {CircuitBreakerOpenError} when nothing may pass; cockatiel's `isBrokenCircuitError` knows it too
   */
  async execute<T>(fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T> {
    const startedAt = this.#clock.now();
    const permit = this.enter(startedAt + this.#circuit.config.trialTimeoutMs);
    if (permit === undefined) throw Object.assign(this.refusal(), { isBrokenCircuitError: true });
    try {
      const result = await fn({ signal: signal ?? new AbortController().signal });
      this.settle(permit, "success");
      this.#successes.emit({ duration: this.#clock.now() - startedAt });
      return result;
    } catch (error) {
      const outcome = signal?.aborted ? "neutral" : this.judge(error, outcomeOfAny);
      this.settle(permit, outcome, error);
      const duration = this.#clock.now() - startedAt;
      this.#failures.emit({ duration, handled: outcome === "failure", reason: { error } });
      throw error;
    }
  }

  /**
   * Takes the right to make a call, if one may pass now; give it back with {@link settle}.
   * @param expiresAt clock time in milliseconds at which the call, if it is a trial, counts as failed
   */
  enter(expiresAt: number): Permit | undefined {
    if (this.#forced !== undefined) return this.#forced === "closed" ? FREE : undefined;
    return this.#circuit.enter(expiresAt);
  }

  /** Takes the right to make the trial of a background probe, if it is time for one. */
  enterProbe(expiresAt: number): Permit | undefined {
    if (this.isForced || this.#circuit.kind === "closed") return undefined;
    return this.#circuit.enterTrial(expiresAt);
  }

  /** Gives a permit back, with what its call showed. */
  settle(permit: Permit, outcome: Outcome, error?: unknown): void {
    if (this.isForced) this.#circuit.drop(permit);
    else this.#circuit.settle(permit, outcome, error);
  }

  /** Takes note of a failure that had no permit, such as a failed connect. */
  fail(error: unknown, startedAt: number): void {
    if (!this.isForced) this.#circuit.fail(error, startedAt);
  }

  /** Opens the circuit at once, since somebody else has counted the failures. */
  trip(error: unknown): void {
    if (!this.isForced) this.#circuit.trip(error);
  }

  /** Counts one good trial that had no permit; the last of `successThreshold` closes the circuit. */
  pass(successThreshold: number): void {
    if (!this.isForced) this.#circuit.pass(successThreshold);
  }

  /** Judges the error of a call: by the user's own function, and else as told. A function that throws says failure. */
  judge(error: unknown, byDefault: (error: unknown) => Outcome): Outcome {
    try {
      return this.#options.judge?.(error) ?? byDefault(error);
    } catch (thrown) {
      this.#environment.onError?.(thrown);
      return "failure";
    }
  }

  /** Makes the error for a call that may not pass. */
  refusal(): CircuitBreakerOpenError {
    const { serverName = "default" } = this.#environment;
    const { retryAfterMs } = this;
    const what = `the circuit of MCP server "${serverName}" is ${this.state}`;
    const why = this.isForced ? "forced" : `failures in a row: ${this.#circuit.failureCount}`;
    const when = retryAfterMs === undefined ? "reset it to go on" : `ask again in ${Math.ceil(retryAfterMs)} ms`;
    return new CircuitBreakerOpenError(`${what} (${why}), so nothing was sent; ${when}`, { serverName, retryAfterMs });
  }

  /** Takes the automatic state down, a forced one left out; for `initialState`. */
  toJSON(): CircuitSnapshot {
    return this.#circuit.snapshot();
  }

  #force(state: "open" | "closed"): void {
    const from = this.state;
    this.#forced = state;
    this.#tell(from, true, undefined);
  }

  #tell(from: CircuitStateName, isForced: boolean, error: unknown): void {
    const to = this.state;
    if (from === to) return;
    this.#hasChanged = true;
    this.#changedAt = this.#clock.now();
    if (to === "open") this.#tripCount++;
    const retryAfterMs = to === "open" ? this.retryAfterMs : undefined;
    this.#events.tell({ from, to, isForced, retryAfterMs }, { error });
  }
}
