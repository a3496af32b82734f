import {
  failureOf,
  type Judgement,
  judgementOf,
  McpPoolError,
  type PoolControl,
  type PoolPlugin,
  type PoolRequest,
  type Request,
  type RequestFailure,
} from "@mcp-pool/core";
import type { IBackoff, IRetryBackoffContext } from "cockatiel";
import { type AbortableDelay, abortableDelay } from "./abortable-delay.ts";
import { FullJitterBackoff } from "./full-jitter-backoff.ts";
import { type ResolvedRetryOptions, type RetryOptions, resolveRetryOptions } from "./retry-options.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Tries on connections that were open already, after which a request gets a new one. */
const TRIES_ON_OPEN_CONNECTIONS = 2;

/** What starting a program fails with when the next try would fail the same way. */
const HOPELESS_CODES: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "ENOTDIR", "EPERM"]);

/**
 * Repeats requests that did not run, and those that may run twice, on another connection. What may have run and is not
 * declared safe is never repeated. All tries share the deadline of the request.
 * @throws {McpConfigurationError} which lists every bad option
 */
export function retry(options: RetryOptions = {}): PoolPlugin {
  const resolved = resolveRetryOptions(options);
  return {
    name: "retry",
    install: (pool) => {
      const retrier = new Retrier(resolved, pool);
      return { request: (next) => retrier.wrap(next), dispose: () => retrier.dispose() };
    },
  };
}

/** What is known of a request after a failed try. */
interface Tries {
  readonly request: PoolRequest;
  count: number;
  backoff: IBackoff<IRetryBackoffContext<unknown>> | undefined;
  sessionLosses: number;
  /** What the latest try failed with, and what the caller gets if it was the last. */
  error: unknown;
  verdict: unknown;
}

class Retrier {
  readonly #options: ResolvedRetryOptions;
  readonly #pool: PoolControl;
  readonly #bucket: TokenBucket;
  readonly #pauses = new Set<{ readonly pause: AbortableDelay; readonly error: unknown }>();

  constructor(options: ResolvedRetryOptions, pool: PoolControl) {
    this.#options = options;
    this.#pool = pool;
    this.#bucket = pool.shared("retry-tokens", () => new TokenBucket(options.budgetTokens));
  }

  wrap(next: Request): Request {
    const bucket = this.#bucket;
    const onResult = (result: unknown) => {
      bucket.succeeded();
      return result;
    };
    return (request) =>
      next(request).then(onResult, (error: unknown) => {
        return this.#again(next, { request, count: 1, backoff: undefined, sessionLosses: 0, error, verdict: error });
      });
  }

  /** Ends the pauses under way; their requests fail with what their last try failed with. */
  dispose(): void {
    for (const { pause, error } of [...this.#pauses]) pause.stop(error);
  }

  /** Goes on until a try succeeds, or there is a reason not to try again. */
  async #again(next: Request, tries: Tries): Promise<unknown> {
    const { request } = tries;
    for (;;) {
      const failure = failureOf(tries.error);
      if (failure === undefined || !(await this.#mayRepeat(tries, failure))) throw tries.verdict;
      const delayMs = this.#delayMs(tries, failure);
      if (this.#pool.clock.now() + delayMs >= request.deadlineAt) throw tries.verdict;
      if (!this.#bucket.take(failure.judgement === "timed-out")) throw tries.verdict;
      this.#tell(tries, failure.judgement, delayMs);
      if (delayMs > 0) await this.#pause(delayMs, tries);
      if (request.options.signal?.aborted) throw request.options.signal.reason;
      this.#chooseConnection(tries, failure.judgement);
      tries.count++;
      try {
        const result = await next(request);
        this.#bucket.succeeded();
        return result;
      } catch (error) {
        if (judgementOf(error) === undefined) throw isRefusal(error, request) ? tries.verdict : error;
        tries.error = error;
        tries.verdict = verdictOf(tries.verdict, error);
      }
    }
  }

  async #mayRepeat(tries: Tries, { judgement }: RequestFailure): Promise<boolean> {
    const { request } = tries;
    if (tries.count >= this.#options.maxAttempts || request.options.signal?.aborted) return false;
    // Requests on a lease have their state on that very connection.
    if (request.lease !== undefined && judgement !== "overloaded") return false;
    switch (judgement) {
      case "not-sent":
        return !isHopeless(tries.error);
      case "overloaded":
        return true;
      case "session-lost":
        return this.#options.repeatAfterSessionLoss && this.#isShared && ++tries.sessionLosses === 1;
      case "outcome-unknown":
      case "timed-out":
        return this.#pool.isDeclaredSafe(request);
      case "aborted":
      case "answered":
      case "unauthorised":
        return false;
    }
  }

  get #isShared(): boolean {
    return this.#pool.options.sharing === "shared";
  }

  /** A connection that was lost is replaced at once; the server's own wish goes before ours. */
  #delayMs(tries: Tries, { judgement, retryAfterMs }: RequestFailure): number {
    if (retryAfterMs !== undefined) return retryAfterMs;
    if (tries.count === 1 && judgement !== "overloaded" && judgement !== "timed-out") return 0;
    const { clock } = this.#pool;
    const factory = this.#options.backoff ?? new FullJitterBackoff({ ...this.#options, clock });
    const signal = tries.request.options.signal ?? new AbortController().signal;
    tries.backoff = (tries.backoff ?? factory).next({ attempt: tries.count, signal, result: { error: tries.error } });
    return tries.backoff.duration;
  }

  #tell({ request, count, error }: Tries, judgement: Judgement, delayMs: number): void {
    const { connectionId, method, params } = request;
    const target = typeof params?.name === "string" ? params.name : undefined;
    this.#pool.emit({
      type: "request-retried",
      connectionId,
      method,
      target,
      attempt: count + 1,
      judgement,
      delayMs,
      error,
    });
  }

  async #pause(delayMs: number, { request, error }: Tries): Promise<void> {
    const pause = abortableDelay(this.#pool.clock, delayMs, request.options.signal);
    const entry = { pause, error };
    this.#pauses.add(entry);
    try {
      await pause.promise;
    } finally {
      this.#pauses.delete(entry);
    }
  }

  /** Back-pressure says nothing against the connection. */
  #chooseConnection({ request, count }: Tries, judgement: Judgement): void {
    if (judgement === "overloaded" || request.lease !== undefined) return;
    request.avoid = request.connectionId;
    request.isFreshWanted = count >= TRIES_ON_OPEN_CONNECTIONS;
  }
}

/** Whether a further try was not even made: then the error of the one before it says more. */
function isRefusal(error: unknown, { options }: PoolRequest): boolean {
  return McpPoolError.isInstance(error) && options.signal?.aborted !== true;
}

/** Once a try may have run, one that did not run changes nothing about that. */
function verdictOf(earlier: unknown, later: unknown): unknown {
  const hasRun = MAY_HAVE_RUN.has(judgementOf(earlier));
  return hasRun && DID_NOT_RUN.has(judgementOf(later)) ? earlier : later;
}

const MAY_HAVE_RUN: ReadonlySet<Judgement | undefined> = new Set(["outcome-unknown", "timed-out"]);
const DID_NOT_RUN: ReadonlySet<Judgement | undefined> = new Set([
  "not-sent",
  "overloaded",
  "session-lost",
  "unauthorised",
]);

/** Whether an error, or one behind it, says that starting the server would fail again. */
function isHopeless(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++) {
    if ("code" in each && HOPELESS_CODES.has(String(each.code))) return true;
  }
  return false;
}
