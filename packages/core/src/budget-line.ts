import { afterTurn } from "./clock.ts";
import type { PoolContext } from "./context.ts";
import { Timeout } from "./deadline-wheel.ts";
import type { LinkedList } from "./linked-list.ts";
import type { ResolvedPoolOptions } from "./options.ts";
import { type Arrival, OwnBudgets, type Waiter, type WaitMode } from "./waiter.ts";

/**
 * Times those callers of a line who share the budgets of their pool. All of them are in the same mode, so the first to come is the first
 * whose time is up: one deadline serves a line of any length, and a change of mode costs the same whoever waits.
 */
export class BudgetLine {
  readonly #context: PoolContext;
  readonly #line: LinkedList<Waiter>;
  readonly #expire: (waiter: Waiter) => void;
  readonly #toOwnBudgets: (waiter: Waiter) => void;
  readonly #deadline = new Timeout(() => this.#onDeadline());
  /** Nobody who shares the budgets stands before this one; undefined as long as nobody else was seen on the way to one who does. */
  #from: Waiter | undefined;
  /** When those came who have come since the clock was looked at last. */
  #arrival: Arrival | undefined;
  /** The options that the budgets were taken from. */
  #options: ResolvedPoolOptions | undefined;
  #acquireMs = 0;
  #openingMs = 0;
  #mode: WaitMode = "saturated";
  #since: number;
  /** Time spent in mode `opening` before the present mode began, in milliseconds. */
  #openingTotalMs = 0;

  /** @param toOwnBudgets takes over a caller whose budgets are no longer those of the line */
  constructor(
    context: PoolContext,
    line: LinkedList<Waiter>,
    expire: (waiter: Waiter) => void,
    toOwnBudgets: (waiter: Waiter) => void,
  ) {
    this.#context = context;
    this.#line = line;
    this.#expire = expire;
    this.#toOwnBudgets = toOwnBudgets;
    this.#since = context.clock.now();
  }

  get mode(): WaitMode {
    return this.#mode;
  }

  /** Times a caller who has just joined the line. */
  add(waiter: Waiter): void {
    if (this.#context.options !== this.#options) this.#renew(waiter);
  }

  #renew(waiter: Waiter): void {
    this.#options = this.#context.options;
    const { acquireTimeoutMs, connectionTimeoutMs } = this.#options;
    if (acquireTimeoutMs !== this.#acquireMs || connectionTimeoutMs !== this.#openingMs) {
      for (let head = this.#head; head !== undefined && head !== waiter; head = this.#head) this.#toOwnBudgets(head);
      this.#context.wheel.remove(this.#deadline);
      this.#acquireMs = acquireTimeoutMs;
      this.#openingMs = connectionTimeoutMs;
    }
  }

  /** Takes note that a caller is about to leave the line; does nothing when it is not in it. */
  remove(waiter: Waiter): void {
    if (waiter === this.#from) this.#from = waiter.next ?? this.#line.before(waiter);
    // Otherwise the deadline stays, though it may be early by now: moving it at each step would cost more.
    if (this.#line.size === 1 && waiter.list === this.#line) this.#context.wheel.remove(this.#deadline);
  }

  /** The caller who has shared the budgets for longest. Nobody is looked at twice on the way. */
  get #head(): Waiter | undefined {
    let waiter = this.#from ?? this.#line.head;
    while (waiter !== undefined && !waiter.isBudgeted) {
      this.#from = waiter;
      waiter = waiter.next;
    }
    return waiter;
  }

  /** Returns the arrival of whoever comes now. */
  arrival(): Arrival {
    if (this.#arrival === undefined) {
      this.#arrival = { at: undefined, openingMs: 0 };
      afterTurn(this.#context.clock, this.#onArrived);
    }
    return this.#arrival;
  }

  /** Charges the time so far to the old mode. */
  switchMode(mode: WaitMode, now: number): void {
    this.#stamp(now);
    if (this.#mode === "opening") this.#openingTotalMs += now - this.#since;
    this.#mode = mode;
    this.#since = now;
    this.#arm();
  }

  /** Returns what is left of the budgets of a caller, who leaves the line. */
  takeOut(waiter: Waiter, now: number): OwnBudgets {
    this.#stamp(now);
    const openingSpentMs = this.#openingMsAt(now) - waiter.arrival.openingMs;
    const saturatedSpentMs = waiter.waitedMs(now) - openingSpentMs;
    return new OwnBudgets(this.#mode, now, this.#acquireMs - saturatedSpentMs, this.#openingMs - openingSpentMs);
  }

  readonly #onArrived = (): void => {
    if (this.#arrival !== undefined) this.#stamp(this.#context.clock.now());
    if (this.#deadline.deadlineKey === 0) this.#arm();
  };

  #stamp(now: number): void {
    if (this.#arrival === undefined) return;
    this.#arrival.at = now;
    this.#arrival.openingMs = this.#openingMsAt(now);
    this.#arrival = undefined;
  }

  /** Time spent in mode `opening` so far, in milliseconds. */
  #openingMsAt(now: number): number {
    return this.#mode === "opening" ? this.#openingTotalMs + (now - this.#since) : this.#openingTotalMs;
  }

  #expiryOf({ arrival: { at = Infinity, openingMs } }: Waiter): number {
    const openingSpentMs = this.#openingTotalMs - openingMs;
    return this.#mode === "opening"
      ? this.#since + this.#openingMs - openingSpentMs
      : at + this.#acquireMs + openingSpentMs;
  }

  #arm(): void {
    const head = this.#head;
    if (head !== undefined) this.#context.wheel.set(this.#deadline, this.#expiryOf(head));
  }

  #onDeadline(): void {
    const now = this.#context.clock.now();
    this.#stamp(now);
    for (let head = this.#head; head !== undefined && this.#expiryOf(head) <= now; head = this.#head)
      this.#expire(head);
    if (this.#deadline.deadlineKey === 0) this.#arm();
  }
}
