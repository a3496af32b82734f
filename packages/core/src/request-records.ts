import { CALLED_AT, type CallTime } from "./call-time.ts";
import type { PoolContext } from "./context.ts";
import type { RequestOptions } from "./options.ts";
import type { PoolRequest } from "./plugin.ts";
import { isToolError, targetOf } from "./request-errors.ts";
import type { WaitTerms } from "./waiter.ts";

/** A call that ended before it could set out. */
export interface RefusedCall {
  /** The method of its request; without one, somebody wanted a connection. */
  readonly method: string | undefined;
  readonly params?: unknown;
  readonly options: (Pick<RequestOptions, "signal"> & CallTime) | undefined;
  readonly error: unknown;
}

/** Counts and tells of a caller who gets no connection. */
export type TellFailed = (error: unknown, waitMs: number, kind: WaitTerms["kind"]) => void;

/** Keeps account of a pool's requests: how many are under way, and how each of them ends for its caller. */
export class RequestRecords {
  readonly #context: PoolContext;
  readonly #tellFailed: TellFailed;
  #underWay = 0;
  /** Whether the pool has told of its end, after which it tells nothing more. */
  isOver = false;

  constructor(context: PoolContext, tellFailed: TellFailed) {
    this.#context = context;
    this.#tellFailed = tellFailed;
  }

  /** Requests inside the wraps, where they may hold no room: between two attempts, for one. */
  get underWay(): number {
    return this.#underWay;
  }

  count(result: Promise<unknown>): void {
    this.#underWay++;
    const end = () => void this.#underWay--;
    result.then(end, end);
  }

  /** Tells of the end of a request. */
  watch(result: Promise<unknown>, request: PoolRequest, startedAt: number): void {
    const { method, options } = request;
    const target = targetOf(request);
    result.then(
      (value) => this.#settled(method, target, startedAt, options.signal, isToolError(method, value), undefined),
      (error: unknown) => this.#settled(method, target, startedAt, options.signal, false, error),
    );
  }

  /** Counts and tells of a call that ended before it could set out, as of any that got no connection. */
  refused({ method, params, options, error }: RefusedCall): void {
    if (this.isOver) return;
    const now = this.#context.clock.now();
    const startedAt = options?.[CALLED_AT] ?? now;
    this.#tellFailed(error, now - startedAt, method === undefined ? "acquire" : "request");
    if (method === undefined || !this.#context.wantsSettled) return;
    this.#settled(method, targetOf({ params }), startedAt, options?.signal, false, error);
  }

  /** Counts and tells of an attempt of a request that got no connection. */
  stranded(error: unknown, waitMs: number): void {
    if (!this.isOver) this.#tellFailed(error, waitMs, "request");
  }

  #settled(
    method: string,
    target: string | undefined,
    startedAt: number,
    signal: AbortSignal | undefined,
    isFailedTool: boolean,
    error: unknown,
  ): void {
    // A request that the close has ended may settle after `pool-closed`, which is the last word of a pool.
    if (this.isOver) return;
    this.#context.events.emit({
      type: "request-settled",
      method,
      target,
      durationMs: this.#context.clock.now() - startedAt,
      isToolError: isFailedTool,
      isAborted: signal?.aborted === true && error === signal.reason,
      error,
    });
  }
}
