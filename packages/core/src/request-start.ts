import { CALLED_AT, type CallTime } from "./call-time.ts";
import type { ReadResult, Requester } from "./client.ts";
import type { PoolContext } from "./context.ts";
import type { RequestOptions } from "./options.ts";
import type { HeldLease, PoolRequest, Request, RoomHold } from "./plugin.ts";
import { NO_OPTIONS, optionsError, stretchOf, toolTimeoutMs, withMeta } from "./request-options.ts";
import type { RequestRecords } from "./request-records.ts";
import { withHeaders } from "./resolvable.ts";

let settingOut: PoolRequest | undefined;
let settingOutAt = 0;

/**
 * Starts the requests of one pool on their way through the wraps. It is the base of what runs their attempts, so that all a
 * request looks at lies in one object: with a thousand pools, each further one costs a look into slow memory.
 */
export abstract class RequestStart implements Requester {
  // What each request looks at comes first, here and in those that extend it.
  readonly context: PoolContext;
  /** The wraps around requests; undefined where no plugin wraps them. */
  #wrapped: Request | undefined;
  /** Whether somebody asks how many requests are under way. */
  readonly #isCounting: boolean;
  readonly #records: RequestRecords;

  constructor(context: PoolContext, records: RequestRecords, isCounting: boolean) {
    this.context = context;
    this.#records = records;
    this.#isCounting = isCounting;
  }

  /** Puts the wraps of plugins around all requests from now on. */
  wrap(wrapRequest: (innermost: Request) => Request): void {
    const attempt = (request: PoolRequest) => this.attempt(request);
    const wrapped = wrapRequest(attempt);
    this.#wrapped = wrapped === attempt ? undefined : wrapped;
  }

  /** Runs one attempt of a request that may have been started a while ago. */
  attempt(request: PoolRequest): Promise<unknown> {
    const startedAt = request === settingOut ? settingOutAt : this.context.clock.now();
    return this.attemptAt(request, startedAt, undefined);
  }

  /** Runs one attempt of a request, which begins just now. */
  protected abstract attemptAt(request: PoolRequest, startedAt: number, read: ReadResult | undefined): Promise<unknown>;

  request(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: RequestOptions & CallTime = NO_OPTIONS,
    lease?: HeldLease,
    hold?: RoomHold,
  ): Promise<unknown> {
    return this.#start(method, params, options, lease, hold, undefined);
  }

  requestRead<Result>(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: (RequestOptions & CallTime) | undefined,
    read: ReadResult<Result>,
  ): Promise<Result> {
    // Whoever looks at what requests end with sees what the server sent.
    if (this.#wrapped === undefined && !this.context.wantsSettled) {
      const own = options === undefined ? NO_OPTIONS : options;
      return this.#start(method, params, own, undefined, undefined, read) as Promise<Result>;
    }
    return this.request(method, params, options).then((result) => read(result, this.context));
  }

  /** Rejects a request that ends before it can set out. */
  refuse(
    method: string,
    params: unknown,
    options: (RequestOptions & CallTime) | undefined,
    error: unknown,
  ): Promise<never> {
    this.#records.refused({ method, params, options, error });
    return Promise.reject(error);
  }

  #start(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: RequestOptions & CallTime,
    lease: HeldLease | undefined,
    hold: RoomHold | undefined,
    read: ReadResult | undefined,
  ): Promise<unknown> {
    const { clock, options: own } = this.context;
    const problem = options === NO_OPTIONS ? undefined : optionsError(options, this.context.serverName);
    if (problem !== undefined) return this.refuse(method, params, options, problem);
    const timeoutMs = options.timeoutMs ?? toolTimeoutMs(method, params, own) ?? own.requestTimeoutMs;
    const calledAt = options[CALLED_AT];
    const startedAt = calledAt ?? clock.now();
    if (typeof options.headers === "function") {
      const { serverName } = this.context;
      const result = withHeaders(options, options.headers, { serverName, timeoutMs, startedAt, clock }).then(
        // Somebody may have begun to listen meanwhile.
        (resolved) =>
          read === undefined
            ? this.request(method, params, resolved, lease, hold)
            : this.requestRead(method, params, resolved, read),
        (error: unknown) => this.refuse(method, params, { ...options, [CALLED_AT]: startedAt }, error),
      );
      if (this.#isCounting) this.#records.count(result);
      return result;
    }
    const request: PoolRequest = {
      method,
      params: withMeta(params, options.meta),
      options,
      deadlineAt: startedAt + Math.min(timeoutMs, options.maxTotalTimeoutMs ?? Infinity),
      attemptTimeoutMs: undefined,
      lease,
      connectionId: undefined,
      avoid: undefined,
      isFreshWanted: false,
      stretch: options.resetTimeoutOnProgress === true ? stretchOf(options, startedAt, timeoutMs) : undefined,
      hold,
    };
    try {
      const result =
        this.#wrapped === undefined
          ? this.attemptAt(request, calledAt === undefined ? startedAt : clock.now(), read)
          : this.#setOut(this.#wrapped, request, calledAt === undefined ? startedAt : undefined);
      if (this.#isCounting) this.#records.count(result);
      if (this.context.wantsSettled) this.#records.watch(result, request, startedAt);
      return result;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a request through the wraps. An attempt that begins in the same go need not look at the clock again. */
  #setOut(wrapped: Request, request: PoolRequest, now: number | undefined): Promise<unknown> {
    settingOut = now === undefined ? undefined : request;
    settingOutAt = now ?? 0;
    try {
      return wrapped(request);
    } finally {
      settingOut = undefined;
    }
  }
}
