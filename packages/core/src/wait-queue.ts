import { type AbortTarget, unwatchAbort, watchAbort } from "./abort-watch.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import type { Deadline } from "./deadline-wheel.ts";
import { LinkedList, type ListItem } from "./linked-list.ts";
import type { Admission } from "./plugin.ts";
import type { ToolUnit } from "./tool-bulkheads.ts";

/**
 * What the callers of a pool wait for. Time is charged to one of two budgets.
 *
 * - `saturated`: all room is taken; `acquireTimeoutMs` runs
 * - `opening`: room is being made; `connectionTimeoutMs` runs
 */
export type WaitMode = "saturated" | "opening";

/** Why a waiter left without a connection. */
export type Expiry = WaitMode | "limit";

/** How one caller waits. */
export interface WaitTerms {
  readonly kind: "acquire" | "request";
  readonly signal: AbortSignal | undefined;
  /** Clock time in milliseconds at which the wait ends whatever the pool does. */
  readonly limitAt: number;
  readonly stickyKey: string | undefined;
  /** On whose behalf plugins are asked at the grant. */
  readonly asker: Admission;
  /** The caller's part of its tool's limit, if the tool has one. */
  readonly unit?: ToolUnit | undefined;
  /** Whether an earlier attempt of the request may have reached the server. */
  readonly mayHaveRun?: boolean | undefined;
}

/** What a queue tells its pool. */
export interface WaitQueueHost {
  /** Makes the error for a waiter whose time is up. */
  expiryError(waiter: Waiter, expiry: Expiry): unknown;
  /** Called after a waiter has left without a connection. */
  onLeft(waiter: Waiter, error: unknown, isTimeUp: boolean): void;
  /** Callers for whom another caller of the queue waits, since they want the same connection. */
  followers(): Iterable<Waiter>;
}

/** One caller that waits for room on a connection. */
export class Waiter implements ListItem<Waiter>, Deadline, AbortTarget {
  readonly terms: WaitTerms;
  readonly enqueuedAt: number;
  readonly #queue: WaitQueue;
  #resolve!: (entry: ConnectionEntry) => void;
  #reject!: (error: unknown) => void;
  mode: WaitMode;
  /** Whether it waits for one connection rather than for any. */
  isFollower = false;
  #since: number;
  #saturatedLeftMs: number;
  #openingLeftMs: number;

  previous: Waiter | undefined;
  next: Waiter | undefined;
  list: LinkedList<Waiter> | undefined;
  deadlineKey = 0;
  deadlinePrevious: Deadline | undefined;
  deadlineNext: Deadline | undefined;

  constructor(
    queue: WaitQueue,
    terms: WaitTerms,
    mode: WaitMode,
    now: number,
    budgets: { acquireMs: number; openingMs: number },
  ) {
    this.#queue = queue;
    this.terms = terms;
    this.mode = mode;
    this.enqueuedAt = now;
    this.#since = now;
    this.#saturatedLeftMs = budgets.acquireMs;
    this.#openingLeftMs = budgets.openingMs;
  }

  /** Resolves with a connection on which room has been claimed for this caller. */
  promise(): Promise<ConnectionEntry> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Clock time in milliseconds at which the time is up, if the mode stays. */
  get expiresAt(): number {
    const leftMs = this.mode === "saturated" ? this.#saturatedLeftMs : this.#openingLeftMs;
    return Math.min(this.#since + leftMs, this.terms.limitAt);
  }

  /** Charges the time so far to the old mode. */
  switchMode(mode: WaitMode, now: number): void {
    const spentMs = now - this.#since;
    if (this.mode === "saturated") this.#saturatedLeftMs -= spentMs;
    else this.#openingLeftMs -= spentMs;
    this.#since = now;
    this.mode = mode;
  }

  resolve(entry: ConnectionEntry): void {
    this.#resolve(entry);
  }

  reject(error: unknown): void {
    this.#reject(error);
  }

  onDeadline(): void {
    this.#queue.expire(this);
  }

  onAbort(reason: unknown): void {
    this.#queue.abort(this, reason);
  }
}

/** Callers in the order in which they came. They leave by a grant, their time, their signal, or a failure. */
export class WaitQueue {
  readonly #context: PoolContext;
  readonly #host: WaitQueueHost;
  readonly #waiters = new LinkedList<Waiter>();
  #mode: WaitMode = "saturated";
  #size = 0;

  constructor(context: PoolContext, host: WaitQueueHost) {
    this.#context = context;
    this.#host = host;
  }

  /** All callers that wait, those for one sticky connection included. */
  get size(): number {
    return this.#size;
  }

  /** Callers that any connection can serve. */
  get length(): number {
    return this.#waiters.size;
  }

  get head(): Waiter | undefined {
    return this.#waiters.head;
  }

  /** Adds a caller at the end of the queue, or of the given list of callers that wait for one connection. */
  add(
    terms: WaitTerms,
    list: LinkedList<Waiter> = this.#waiters,
    mode: WaitMode = this.#mode,
  ): Promise<ConnectionEntry> {
    const { clock, options, wheel, counters } = this.#context;
    const now = clock.now();
    // A limit of the caller's own stands in for both of the pool's.
    const isOwn = terms.kind === "acquire" && terms.limitAt !== Infinity;
    const budgets = isOwn
      ? { acquireMs: Infinity, openingMs: Infinity }
      : { acquireMs: options.acquireTimeoutMs, openingMs: options.connectionTimeoutMs };
    const waiter = new Waiter(this, terms, mode, now, budgets);
    waiter.isFollower = list !== this.#waiters;
    const promise = waiter.promise();
    list.pushBack(waiter);
    this.#size++;
    counters.queued++;
    wheel.set(waiter, waiter.expiresAt);
    if (terms.signal !== undefined) watchAbort(terms.signal, waiter);
    return promise;
  }

  /** Puts a caller that waited for one connection at the end of the queue for any. */
  requeue(waiter: Waiter): void {
    waiter.isFollower = false;
    this.#waiters.pushBack(waiter);
    this.#switch(waiter, this.#mode, this.#context.clock.now());
  }

  /** Says what the callers wait for from now on. Costs O(waiters) when it changes, which only opening a connection does. */
  setMode(mode: WaitMode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    if (this.#waiters.size === 0) return;
    const now = this.#context.clock.now();
    for (let waiter = this.#waiters.head; waiter !== undefined; waiter = waiter.next) this.#switch(waiter, mode, now);
    for (const follower of this.#host.followers()) this.#switch(follower, mode, now);
  }

  /** Says that these callers wait for a connection that is open, and taken. */
  saturate(followers: Iterable<Waiter>): void {
    const now = this.#context.clock.now();
    for (const follower of followers) this.#switch(follower, "saturated", now);
  }

  grant(waiter: Waiter, entry: ConnectionEntry): void {
    this.#remove(waiter);
    this.#context.counters.granted++;
    waiter.resolve(entry);
  }

  /** Ends a wait with an error of the pool's making. */
  reject(waiter: Waiter, error: unknown): void {
    if (waiter.list === undefined) return;
    this.#remove(waiter);
    this.#context.counters.rejected++;
    this.#leave(waiter, error);
  }

  abort(waiter: Waiter, reason: unknown): void {
    if (waiter.list === undefined) return;
    this.#remove(waiter);
    this.#context.counters.aborted++;
    this.#leave(waiter, reason);
  }

  expire(waiter: Waiter): void {
    if (waiter.list === undefined) return;
    const expiry: Expiry = waiter.terms.limitAt <= this.#context.clock.now() ? "limit" : waiter.mode;
    const error = this.#host.expiryError(waiter, expiry);
    this.#remove(waiter);
    this.#context.counters.timedOut++;
    this.#leave(waiter, error, true);
  }

  #leave(waiter: Waiter, error: unknown, isTimeUp = false): void {
    waiter.reject(error);
    this.#host.onLeft(waiter, error, isTimeUp);
  }

  #switch(waiter: Waiter, mode: WaitMode, now: number): void {
    waiter.switchMode(mode, now);
    this.#context.wheel.set(waiter, waiter.expiresAt);
  }

  #remove(waiter: Waiter): void {
    waiter.list?.remove(waiter);
    this.#size--;
    this.#context.wheel.remove(waiter);
    if (waiter.terms.signal !== undefined) unwatchAbort(waiter.terms.signal, waiter);
  }
}
