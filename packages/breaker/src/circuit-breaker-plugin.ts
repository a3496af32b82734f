import {
  CIRCUIT_BREAKER,
  failureOf,
  HEALTH,
  type HealthMonitor,
  type PoolControl,
  type PoolEvent,
  type PoolPlugin,
  type PoolRequest,
  type Request,
} from "@mcp-pool/core";
import type { Permit } from "./circuit.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { type CircuitBreakerOptions, resolveCircuitBreakerOptions } from "./circuit-breaker-options.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** For how long callers leave the first trial to a background probe; then they may make it, should no probe come. */
const PROBE_GRACE_MS = 15_000;

/**
 * Opens the circuit of a server that keeps failing, so that callers fail at once instead of waiting. It covers connects
 * and requests. Each pool has a circuit of its own: `pool.circuitBreaker`.
 * @throws {McpConfigurationError} which lists every bad option
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): PoolPlugin {
  resolveCircuitBreakerOptions(options);
  return {
    name: CIRCUIT_BREAKER,
    install: (pool) => {
      const guard = new CircuitGuard(options, pool);
      return {
        handle: guard.breaker,
        admit: (asker) => guard.admit(asker),
        request: (next) => guard.wrap(next),
        dispose: () => guard.dispose(),
      };
    },
  };
}

/** Connections with failures that are remembered; what is in flight together on one ends at about the same time. */
const MAX_REMEMBERED = 100;

/** The circuit breaker of one pool. */
class CircuitGuard {
  readonly breaker: CircuitBreaker;
  readonly #pool: PoolControl;
  readonly #unsubscribe: () => void;
  /** Requests that hold the permit of a trial, which covers their wait, a connect, and their sending. */
  readonly #trials = new Set<PoolRequest>();
  /** Errors of connects; they are counted once, not once more for each request they fail. */
  readonly #connectErrors = new WeakSet<object>();
  /** Requests that were let through so far. */
  #entered = 0;
  /** How many those were when a failure on a connection was counted last, by connection. */
  readonly #countedUpTo = new Map<number, number>();
  #probe: Permit | undefined;
  #isDisposed = false;

  constructor(options: CircuitBreakerOptions, pool: PoolControl) {
    this.#pool = pool;
    this.breaker = new CircuitBreaker(options, {
      clock: pool.clock,
      serverName: pool.serverName,
      probeGraceMs: () => ((pool.plugin(HEALTH) as HealthMonitor | undefined)?.isProbing ? PROBE_GRACE_MS : 0),
      onError: (error) => pool.emit({ type: "listener-failed", error }),
    });
    this.breaker.onTransition((transition) => {
      if (transition.to === "open") this.#trials.clear();
      pool.emit({ type: "circuit-state-changed", ...transition });
      // Then those who wait are refused, or the minimum is opened again; but first, who caused the change gets its own error.
      queueMicrotask(() => {
        if (!this.#isDisposed) pool.refill();
      });
    });
    this.#unsubscribe = pool.subscribe(
      (event) => this.#onEvent(event),
      ["connection-failed", "health-check-started", "health-check-passed", "health-check-failed", "pool-reconfigured"],
    );
  }

  /** While the circuit is not closed, only trials may have a connection opened for them. */
  admit(asker: PoolRequest | "lease" | "refill"): ReturnType<CircuitBreaker["refusal"]> | undefined {
    const { breaker } = this;
    if (breaker.state === "closed") return undefined;
    if (typeof asker === "object" ? this.#trials.has(asker) : asker === "lease" && breaker.isPassable) return undefined;
    return breaker.refusal();
  }

  wrap(next: Request): Request {
    const { breaker } = this;
    // All calls of one closed state have one permit, and so one function for their success.
    let latest: Permit | undefined;
    let onSuccess = (result: unknown) => result;
    return (request) => {
      const permit = breaker.enter(request.deadlineAt);
      if (permit === undefined) return this.#refuse();
      const number = ++this.#entered;
      if (breaker.state === "half-open") return this.#try(next, request, permit);
      if (permit !== latest) {
        latest = permit;
        onSuccess = (result) => {
          breaker.settle(permit, "success");
          return result;
        };
      }
      // Taken down here, since another call may come in between while this one sets out.
      const succeed = onSuccess;
      return next(request).then(succeed, (error: unknown) => {
        const outcome = this.#judge(error);
        const isCounted = outcome === "failure" && this.#isCounted(request, number);
        breaker.settle(permit, isCounted ? "neutral" : outcome, error);
        throw error;
      });
    };
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#unsubscribe();
  }

  /** Makes a trial of a half-open circuit. */
  #try(next: Request, request: PoolRequest, permit: Permit): Promise<unknown> {
    const { breaker } = this;
    this.#trials.add(request);
    return next(request).then(
      (result) => {
        this.#trials.delete(request);
        breaker.settle(permit, "success");
        return result;
      },
      (error: unknown) => {
        this.#trials.delete(request);
        breaker.settle(permit, this.#judge(error), error);
        throw error;
      },
    );
  }

  #judge(error: unknown): Outcome {
    return this.#isConnectError(error) ? "neutral" : this.breaker.judge(error, outcomeOf);
  }

  #refuse(): Promise<never> {
    const { state, retryAfterMs } = this.breaker;
    this.#pool.emit({ type: "circuit-rejected", state, retryAfterMs });
    return Promise.reject(this.breaker.refusal());
  }

  #onEvent(event: PoolEvent): void {
    const { breaker } = this;
    switch (event.type) {
      case "connection-failed": {
        this.#connectErrors.add(event.error);
        const failure = failureOf(event.error);
        const isFailure = breaker.judge(event.error, outcomeOf) === "failure";
        if (failure !== undefined && isFailure) breaker.fail(event.error, this.#pool.clock.now() - event.durationMs);
        return;
      }
      case "health-check-started":
        this.#probe = breaker.enterProbe(this.#pool.clock.now() + event.timeoutMs);
        return;
      case "health-check-passed":
        this.#dropProbe();
        breaker.pass(event.successThreshold);
        return;
      case "health-check-failed":
        if (this.#probe !== undefined) breaker.settle(this.#probe, "failure", event.error);
        else if (breaker.state === "half-open" || event.failuresInRow >= event.failureThreshold)
          breaker.trip(event.error);
        this.#probe = undefined;
        return;
      case "pool-reconfigured":
        // What is connected to from now on is something else; what somebody has forced stays forced.
        if (event.isRenewed && !breaker.isForced) breaker.reset();
        return;
      default:
    }
  }

  #dropProbe(): void {
    if (this.#probe !== undefined) this.breaker.settle(this.#probe, "neutral");
    this.#probe = undefined;
  }

  /** Calls in flight together on one connection end together; that is one failure of the server, not one for each. */
  #isCounted({ connectionId }: PoolRequest, number: number): boolean {
    if (connectionId === undefined) return false;
    if (number <= (this.#countedUpTo.get(connectionId) ?? 0)) return true;
    this.#countedUpTo.delete(connectionId);
    this.#countedUpTo.set(connectionId, this.#entered);
    const [oldest] = this.#countedUpTo.keys();
    if (this.#countedUpTo.size > MAX_REMEMBERED && oldest !== undefined) this.#countedUpTo.delete(oldest);
    return false;
  }

  #isConnectError(error: unknown): boolean {
    return typeof error === "object" && error !== null && this.#connectErrors.has(error);
  }
}
