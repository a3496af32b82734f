import type { PoolContext } from "./context.ts";
import { Timeout } from "./deadline-wheel.ts";
import { type Arrival, OwnBudgets, type Waiter, type WaitMode } from "./waiter.ts";

const SETTLED = Promise.resolve();

/**
 * Times callers who share the budgets of their pool. All of them are in the same mode, so the first to come is the first
 * whose time is up: one deadline serves a line of any length, and a change of mode costs the same whoever waits.
 */
export class BudgetLine {
  readonly #context: PoolContext;
  readonly #expire: (waiter: Waiter) => void;
  readonly #toOwnBudgets: (waiter: Waiter) => void;
  readonly #deadline = new Timeout(() => this.#onDeadline());
  #head: Waiter | undefined;
  #tail: Waiter | undefined;
  /** When those came who have come since the clock was looked at last. */
  #arrival: Arrival | undefined;
  #acquireMs = 0;
  #openingMs = 0;
  #mode: WaitMode = "saturated";
  #since: number;
  /** Time spent in mode `opening` before the present mode began, in milliseconds. */
  #openingTotalMs = 0;

  /** @param toOwnBudgets takes over a caller whose budgets are no longer those of the line */
  constructor(context: PoolContext, expire: (waiter: Waiter) => void, toOwnBudgets: (waiter: Waiter) => void) {
    this.#context = context;
    this.#expire = expire;
    this.#toOwnBudgets = toOwnBudgets;
    this.#since = context.clock.now();
  }

  get mode(): WaitMode {
    return this.#mode;
  }

  add(waiter: Waiter): void {
    const { acquireTimeoutMs, connectionTimeoutMs } = this.#context.options;
    if (acquireTimeoutMs !== this.#acquireMs || connectionTimeoutMs !== this.#openingMs) {
      while (this.#head !== undefined) this.#toOwnBudgets(this.#head);
      this.#acquireMs = acquireTimeoutMs;
      this.#openingMs = connectionTimeoutMs;
    }
    waiter.linePrevious = this.#tail;
    if (this.#tail === undefined) this.#head = waiter;
    else this.#tail.lineNext = waiter;
    this.#tail = waiter;
  }

  /** Does nothing when the caller is not in the line. */
  remove(waiter: Waiter): void {
    const { linePrevious: previous, lineNext: next } = waiter;
    if (previous === undefined && this.#head !== waiter) return;
    if (previous === undefined) this.#head = next;
    else previous.lineNext = next;
    if (next === undefined) this.#tail = previous;
    else next.linePrevious = previous;
    waiter.linePrevious = undefined;
    waiter.lineNext = undefined;
    // Otherwise the deadline stays, though it may be early by now: moving it at each step would cost more.
    if (this.#head === undefined) this.#context.wheel.remove(this.#deadline);
  }

  /** Returns the arrival of whoever comes now. */
  arrival(): Arrival {
    if (this.#arrival === undefined) {
      this.#arrival = { at: undefined, openingMs: 0 };
      void SETTLED.then(this.#onArrived);
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
    this.remove(waiter);
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
    if (this.#head !== undefined) this.#context.wheel.set(this.#deadline, this.#expiryOf(this.#head));
  }

  #onDeadline(): void {
    const now = this.#context.clock.now();
    this.#stamp(now);
    while (this.#head !== undefined && this.#expiryOf(this.#head) <= now) this.#expire(this.#head);
    if (this.#deadline.deadlineKey === 0) this.#arm();
  }
}
