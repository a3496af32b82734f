import type { AbortTarget } from "./abort-watch.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { Timeout } from "./deadline-wheel.ts";
import type { LinkedList, ListItem } from "./linked-list.ts";
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

/** How one caller waits, and what it gets in the end. Callers without wishes of their own share one. */
export interface WaitTerms<Granted = unknown> {
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
  /** Makes what the caller gets of a connection on which room has been claimed for it. It may reject, but not throw. */
  deliver(entry: ConnectionEntry, waiter: Waiter): Granted | Promise<Granted>;
}

/** What a waiter tells its queue. */
export interface WaiterHost {
  readonly mode: WaitMode;
  abort(waiter: Waiter, reason: unknown): void;
}

/** When callers joined the queue. Those who come in one go share one, and one look at the clock. */
export interface Arrival {
  /** Clock time in milliseconds; set as soon as they have all come. */
  at: number | undefined;
  /** How long the pool had been opening connections until then, in milliseconds. */
  openingMs: number;
}

/** Budgets of a caller whose time does not run with that of the queue. */
export class OwnBudgets {
  mode: WaitMode;
  /** Whether the caller waits for one connection rather than for any. */
  isFollower = false;
  #since: number;
  #saturatedLeftMs: number;
  #openingLeftMs: number;

  constructor(mode: WaitMode, now: number, saturatedMs: number, openingMs: number) {
    this.mode = mode;
    this.#since = now;
    this.#saturatedLeftMs = saturatedMs;
    this.#openingLeftMs = openingMs;
  }

  /** Clock time in milliseconds at which the time is up, if the mode stays. */
  get expiresAt(): number {
    return this.#since + (this.mode === "saturated" ? this.#saturatedLeftMs : this.#openingLeftMs);
  }

  /** Charges the time so far to the old mode. */
  switchMode(mode: WaitMode, now: number): void {
    const spentMs = now - this.#since;
    if (this.mode === "saturated") this.#saturatedLeftMs -= spentMs;
    else this.#openingLeftMs -= spentMs;
    this.#since = now;
    this.mode = mode;
  }
}

/** One caller that waits for room on a connection. Queues may be long: every field counts. */
export class Waiter implements ListItem<Waiter>, AbortTarget {
  readonly terms: WaitTerms;
  readonly #host: WaiterHost;
  #resolve!: (granted: unknown) => void;
  #reject!: (error: unknown) => void;
  arrival: Arrival;
  own: OwnBudgets | undefined = undefined;

  previous: Waiter | undefined = undefined;
  next: Waiter | undefined = undefined;
  list: LinkedList<Waiter> | undefined = undefined;
  /** Its deadline, where it does not share that of the queue. */
  deadline: Timeout | undefined = undefined;

  constructor(host: WaiterHost, terms: WaitTerms, arrival: Arrival) {
    this.#host = host;
    this.terms = terms;
    this.arrival = arrival;
  }

  /** Whether it waits for one connection rather than for any. */
  get isFollower(): boolean {
    return this.own?.isFollower === true;
  }

  /** Whether its time runs with that of the queue. A limit of an acquire stands in for the budgets of the pool. */
  get isBudgeted(): boolean {
    return this.own === undefined && (this.terms.limitAt === Infinity || this.terms.kind === "request");
  }

  /** Whether nothing but its place in a list has to be cleared up when it leaves. */
  get isBare(): boolean {
    return this.own === undefined && this.deadline === undefined && this.terms.signal === undefined;
  }

  get mode(): WaitMode {
    return this.own === undefined ? this.#host.mode : this.own.mode;
  }

  /** Resolves with what the terms make of a connection. */
  promise<Granted>(): Promise<Granted> {
    return new Promise<Granted>((resolve, reject) => {
      this.#resolve = resolve as (granted: unknown) => void;
      this.#reject = reject;
    });
  }

  /** How long it has waited, in milliseconds. */
  waitedMs(now: number): number {
    const { at } = this.arrival;
    return at === undefined ? 0 : now - at;
  }

  resolve(entry: ConnectionEntry): void {
    this.#resolve(this.terms.deliver(entry, this));
  }

  reject(error: unknown): void {
    this.#reject(error);
  }

  onAbort(reason: unknown): void {
    this.#host.abort(this, reason);
  }
}
