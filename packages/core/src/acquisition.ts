import { CALLED_AT, type CallTime } from "./call-time.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { McpPoolError, type McpPoolExhaustedError, type PoolCounts } from "./errors.ts";
import type { AcquireOptions } from "./options.ts";
import type { Admission } from "./plugin.ts";
import { invalid, optionsError } from "./request-options.ts";
import { closedError, queueFullError } from "./wait-errors.ts";
import type { WaitTerms } from "./waiter.ts";

/** Finds room for callers: at once, or after one bounded wait. */
export class Acquisition {
  readonly #context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #admit: (asker: Admission) => McpPoolError | undefined;

  constructor(context: PoolContext, dispatcher: Dispatcher, admit: (asker: Admission) => McpPoolError | undefined) {
    this.#context = context;
    this.#dispatcher = dispatcher;
    this.#admit = admit;
  }

  get counts(): PoolCounts {
    const { set, growth, queue } = this.#dispatcher;
    const { maxConnections: max } = this.#context.options;
    return { total: set.size + growth.connecting, used: set.active, idle: set.idle, waiting: queue.size, max };
  }

  /**
   * Claims room for a lease, at once or after a wait. What it throws, it throws before anything is claimed.
   * @param plain how a caller without options waits
   */
  acquire<Granted>(options: AcquireOptions, plain: () => WaitTerms<Granted>): ConnectionEntry | Promise<Granted> {
    this.#check(options);
    const { signal, stickyKey } = options;
    if (signal?.aborted) throw signal.reason;
    if (stickyKey === undefined) return this.take() ?? this.wait(this.#terms(options, plain()));
    this.#checkAdmission();
    return this.#dispatcher.sticky.take(stickyKey, this.#terms(options, plain()), () => {
      if (this.#isFull) throw this.#fullError();
    });
  }

  /** Claims room that can be had at once, for a caller without options. */
  take(): ConnectionEntry | undefined {
    this.#checkAdmission();
    return this.#dispatcher.take();
  }

  /** The same, where plugins have been asked already. */
  takeUnless(refusal: McpPoolError | undefined): ConnectionEntry | undefined {
    if (this.#dispatcher.isClosed) throw closedError(this.#context);
    if (refusal !== undefined) throw refusal;
    return this.#dispatcher.take();
  }

  #checkAdmission(): void {
    if (this.#dispatcher.isClosed) throw closedError(this.#context);
    const refusal = this.#admit("lease");
    if (refusal !== undefined) throw refusal;
  }

  /** Waits for room, unless too many do already; `join` says in which line. */
  wait<Granted>(terms: WaitTerms<Granted>, join?: (terms: WaitTerms<Granted>) => Promise<Granted>): Promise<Granted> {
    if (this.#isFull) {
      const error = this.#fullError();
      this.onFailed(error, 0, terms.kind);
      return Promise.reject(error);
    }
    const granted = join === undefined ? this.#dispatcher.wait(terms) : join(terms);
    const { wantsQueued, events } = this.#context;
    if (wantsQueued) events.emit({ type: "acquire-queued", waiting: this.#dispatcher.queue.size });
    return granted;
  }

  /** Counts and reports a caller who gets no connection. */
  onFailed(error: unknown, waitMs: number, kind: WaitTerms["kind"]): void {
    const { counters, events } = this.#context;
    if (McpPoolError.isInstance(error)) {
      switch (error.code) {
        case "POOL_EXHAUSTED":
          counters.errors.poolExhausted++;
          break;
        case "CIRCUIT_OPEN":
          counters.errors.circuitOpen++;
          break;
        case "TIMEOUT":
          counters.errors.timeout++;
          break;
        case "VALIDATION_FAILED":
          counters.errors.validation++;
          break;
        case "CONNECTION_FAILED":
          counters.errors.connection++;
          break;
        default:
      }
    }
    if (events.wants("acquire-failed")) events.emit({ type: "acquire-failed", kind, waitMs, error });
  }

  get #isFull(): boolean {
    return this.#dispatcher.queue.size >= this.#context.options.maxWaiting;
  }

  /** A caller who is refused is still a reason to open what the pool should have open. */
  #fullError(): McpPoolExhaustedError {
    this.#dispatcher.growth.grow();
    return queueFullError(this.#context, this.counts);
  }

  #terms<Granted>(options: AcquireOptions & CallTime, plain: WaitTerms<Granted>): WaitTerms<Granted> {
    const { signal, stickyKey, timeoutMs } = options;
    const startedAt = options[CALLED_AT] ?? this.#context.clock.now();
    const limitAt = timeoutMs === undefined ? Infinity : startedAt + timeoutMs;
    return { ...plain, signal, stickyKey, limitAt };
  }

  #check(options: AcquireOptions): void {
    const { serverName, options: own } = this.#context;
    const problem = optionsError(options, serverName);
    if (problem !== undefined) throw problem;
    const { sharing = own.sharing, stickyKey } = options;
    if (sharing !== "shared" && sharing !== "exclusive") {
      throw invalid("sharing", `must be "shared" or "exclusive", not ${JSON.stringify(sharing)}`, serverName);
    }
    if (sharing !== own.sharing) {
      const hint =
        own.sharing === "shared"
          ? "ask a manager, which keeps one pool for each mode"
          : "its connections are lent to one at a time";
      throw invalid("sharing", `must be "${own.sharing}", as the pool is; ${hint}`, serverName);
    }
    if (stickyKey === undefined) return;
    if (typeof stickyKey !== "string" || stickyKey === "")
      throw invalid("stickyKey", "must be a string that is not empty", serverName);
    if (sharing === "shared") throw invalid("stickyKey", 'goes with sharing "exclusive" only', serverName);
  }
}
