import { unwatchAbort, watchAbort } from "./abort-watch.ts";
import { BudgetLine } from "./budget-line.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import { Timeout } from "./deadline-wheel.ts";
import { LateSet } from "./late-collections.ts";
import { LinkedList } from "./linked-list.ts";
import { type Expiry, OwnBudgets, Waiter, type WaiterHost, type WaitMode, type WaitTerms } from "./waiter.ts";

/** What a queue tells its pool. */
export interface WaitQueueHost {
  /** Makes the error for a waiter whose time is up. */
  expiryError(waiter: Waiter, expiry: Expiry): unknown;
  /** Called after a waiter has left without a connection. */
  onLeft(waiter: Waiter, error: unknown, isTimeUp: boolean): void;
  /** Callers for whom another caller of the queue waits, since they want the same connection. */
  followers(): Iterable<Waiter>;
  /** Called when somebody waits for any connection, and nobody did before. */
  onFirst(): void;
}

/** Callers in the order in which they came. They leave by a grant, their time, their signal, or a failure. */
export class WaitQueue implements WaiterHost {
  readonly #context: PoolContext;
  readonly #host: WaitQueueHost;
  /** Callers that any connection can serve. */
  readonly line: LinkedList<Waiter> = new LinkedList();
  readonly #budgets: BudgetLine;
  /** Callers for any connection who have waited elsewhere before, and so keep budgets of their own. */
  readonly #loners = new LateSet<Waiter>();
  /** Callers in other lists than the line. */
  #besides = 0;

  constructor(context: PoolContext, host: WaitQueueHost) {
    this.#context = context;
    this.#host = host;
    this.#budgets = new BudgetLine(
      context,
      this.line,
      (waiter) => this.expire(waiter),
      (waiter) => this.#isolate(waiter),
    );
  }

  /** All callers that wait, those for one sticky connection included. */
  get size(): number {
    return this.line.size + this.#besides;
  }

  /** Whether callers wait for something else than any connection. */
  get hasOthers(): boolean {
    return this.#besides > 0;
  }

  /** Callers that any connection can serve. */
  get length(): number {
    return this.line.size;
  }

  get head(): Waiter | undefined {
    return this.line.head;
  }

  get mode(): WaitMode {
    return this.#budgets.mode;
  }

  /** Adds a caller at the end of the queue, or of the given list of callers that wait for one connection. */
  add<Granted>(terms: WaitTerms<Granted>, list: LinkedList<Waiter> = this.line, mode?: WaitMode): Promise<Granted> {
    const waiter = new Waiter(this, terms, this.#budgets.arrival());
    const promise = waiter.promise<Granted>();
    list.pushBack(waiter);
    if (list === this.line && list.size === 1) this.#host.onFirst();
    this.#context.counters.queued++;
    if (list === this.line && terms.limitAt === Infinity) this.#budgets.add(waiter);
    else this.#timeOtherwise(waiter, list, mode);
    if (terms.signal !== undefined) this.#watch(terms.signal, waiter);
    return promise;
  }

  /** Puts a caller that waited for one connection at the end of the queue for any. */
  requeue(waiter: Waiter): void {
    if (waiter.own !== undefined) waiter.own.isFollower = false;
    if (waiter.list !== undefined) this.#besides--;
    this.line.pushBack(waiter);
    if (this.line.size === 1) this.#host.onFirst();
    this.#loners.add(waiter);
    this.#switch(waiter, this.mode, this.#context.clock.now());
  }

  /** Says what the callers wait for from now on. */
  setMode(mode: WaitMode): void {
    if (mode === this.mode) return;
    const now = this.#context.clock.now();
    this.#budgets.switchMode(mode, now);
    for (const loner of this.#loners) this.#switch(loner, mode, now);
    for (const follower of this.#host.followers()) this.#switch(follower, mode, now);
  }

  /** Says that these callers wait for a connection that is open, and taken. */
  saturate(followers: Iterable<Waiter>): void {
    const now = this.#context.clock.now();
    for (const follower of followers) this.#switch(follower, "saturated", now);
  }

  grant(waiter: Waiter, entry: ConnectionEntry): void {
    this.#remove(waiter);
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

  #timeOtherwise(waiter: Waiter, list: LinkedList<Waiter>, mode: WaitMode = this.mode): void {
    if (list === this.line) {
      this.#limit(waiter);
      return;
    }
    this.#besides++;
    this.#timeAlone(waiter, mode).isFollower = true;
  }

  /** A limit of an acquire stands in for both budgets of the pool; a request has all three. */
  #limit(waiter: Waiter): void {
    const { kind, limitAt } = waiter.terms;
    const { clock, options } = this.#context;
    if (kind === "request") {
      this.#budgets.add(waiter);
      if (limitAt >= clock.now() + options.acquireTimeoutMs + options.connectionTimeoutMs) return;
    }
    this.#setDeadline(waiter, limitAt);
  }

  #timeAlone(waiter: Waiter, mode: WaitMode): OwnBudgets {
    const { clock, options } = this.#context;
    const { kind, limitAt } = waiter.terms;
    const isOwn = kind === "acquire" && limitAt !== Infinity;
    const acquireMs = isOwn ? Infinity : options.acquireTimeoutMs;
    const openingMs = isOwn ? Infinity : options.connectionTimeoutMs;
    waiter.own = new OwnBudgets(mode, clock.now(), acquireMs, openingMs);
    this.#setDeadline(waiter, Math.min(waiter.own.expiresAt, limitAt));
    return waiter.own;
  }

  /** The budgets of the pool have changed; who waits already keeps the old ones. */
  #isolate(waiter: Waiter): void {
    waiter.own = this.#budgets.takeOut(waiter, this.#context.clock.now());
    this.#loners.add(waiter);
    this.#setDeadline(waiter, Math.min(waiter.own.expiresAt, waiter.terms.limitAt));
  }

  #switch(waiter: Waiter, mode: WaitMode, now: number): void {
    const { own, terms } = waiter;
    if (own === undefined) return;
    own.switchMode(mode, now);
    this.#setDeadline(waiter, Math.min(own.expiresAt, terms.limitAt));
  }

  #watch(signal: AbortSignal, waiter: Waiter): void {
    watchAbort(signal, waiter);
    // A plugin or a listener may have made the caller give up since it was looked at.
    if (signal.aborted) this.abort(waiter, signal.reason);
  }

  #setDeadline(waiter: Waiter, atMs: number): void {
    waiter.deadline ??= new Timeout(() => this.expire(waiter));
    this.#context.wheel.set(waiter.deadline, atMs);
  }

  #remove(waiter: Waiter): void {
    this.#budgets.remove(waiter);
    // As most leave: by a grant, in their turn, with nothing of their own.
    if (waiter.isBare && this.line.shift(waiter)) return;
    if (waiter.list !== this.line) this.#besides--;
    waiter.list?.remove(waiter);
    if (waiter.own !== undefined) this.#loners.delete(waiter);
    if (waiter.deadline !== undefined) this.#context.wheel.remove(waiter.deadline);
    if (waiter.terms.signal !== undefined) unwatchAbort(waiter.terms.signal, waiter);
  }
}
