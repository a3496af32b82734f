import type { Clock } from "./clock.ts";
import type { Connector } from "./connector.ts";
import type { LateMap, LateSet } from "./late-collections.ts";

/** A connection that is lost before this age counts as a failed connect, however well its handshake went. */
const SHORT_LIFE_MS = 10_000;

const DEFAULT_INITIAL_DELAY_MS = 100;
const DEFAULT_MAX_DELAY_MS = 30_000;
/** Connects within a minute beyond which a server that is failing waits, whatever its back-off says. */
const MAX_CONNECTS = 30;
const CONNECTS_WINDOW_MS = 60_000;

/** Spaces out the connects to a server that fails: exponential, with jitter, shared by all pools of the server. */
export class ConnectBackoff {
  readonly #clock: Clock;
  #initialDelayMs: number;
  #maxDelayMs: number;
  #strikes = 0;
  #notBefore = 0;
  #lastStrikeAt = -Infinity;
  #lastOpenedAt = -Infinity;
  #isFailing = false;
  /** When the latest connects were started, the oldest first. */
  readonly #startedAt: number[] = [];

  constructor(clock: Clock, bounds: { readonly initialDelayMs: number; readonly maxDelayMs: number } | undefined) {
    this.#clock = clock;
    this.#initialDelayMs = bounds?.initialDelayMs ?? DEFAULT_INITIAL_DELAY_MS;
    this.#maxDelayMs = bounds?.maxDelayMs ?? DEFAULT_MAX_DELAY_MS;
  }

  /** Whether the latest connect failed, or connections died young and none has stayed up since; then one at a time is tried. */
  get isFailing(): boolean {
    if (this.#isFailing || this.#strikes < 2) return this.#isFailing;
    const hasReturned = this.#lastOpenedAt > this.#lastStrikeAt;
    return !(hasReturned && this.#clock.now() - this.#lastOpenedAt >= SHORT_LIFE_MS);
  }

  /** Failures in a row, short lives included. */
  get strikes(): number {
    return this.#strikes;
  }

  /** Clock time in milliseconds before which nothing should be opened. */
  get notBefore(): number {
    const [oldest = -Infinity] = this.#startedAt;
    const isFull = this.#strikes > 0 && this.#startedAt.length >= MAX_CONNECTS;
    return isFull ? Math.max(this.#notBefore, oldest + CONNECTS_WINDOW_MS) : this.#notBefore;
  }

  /** Takes note of the start of a connect. */
  started(): void {
    this.#startedAt.push(this.#clock.now());
    if (this.#startedAt.length > MAX_CONNECTS) this.#startedAt.shift();
  }

  opened(): void {
    this.#isFailing = false;
    this.#lastOpenedAt = this.#clock.now();
  }

  /** Takes note of a failed connect. Connects that were under way together count once. */
  failed(startedAt: number): void {
    this.#isFailing = true;
    if (startedAt >= this.#lastStrikeAt) this.#strike();
  }

  /** Takes note of the loss of an open connection. Connections that were open together count once. */
  lost(ageMs: number): void {
    if (ageMs >= SHORT_LIFE_MS) this.#strikes = 0;
    else if (this.#clock.now() - ageMs >= this.#lastStrikeAt) this.#strike();
  }

  /** Forgets all failures, since what a connection is made of has changed. */
  reset(bounds: Connector["connectBackoff"]): void {
    this.#initialDelayMs = bounds?.initialDelayMs ?? DEFAULT_INITIAL_DELAY_MS;
    this.#maxDelayMs = bounds?.maxDelayMs ?? DEFAULT_MAX_DELAY_MS;
    this.#strikes = 0;
    this.#notBefore = 0;
    this.#isFailing = false;
    this.#startedAt.length = 0;
  }

  /** The first strike costs no delay: a lost connection is replaced at once. */
  #strike(): void {
    const now = this.#clock.now();
    if (!this.#isFailing && now - this.#lastOpenedAt >= SHORT_LIFE_MS) this.#strikes = 0;
    this.#strikes++;
    this.#lastStrikeAt = now;
    if (this.#strikes === 1) return;
    const delayMs = Math.min(this.#initialDelayMs * 2 ** Math.min(this.#strikes - 2, 30), this.#maxDelayMs);
    this.#notBefore = now + delayMs * (0.5 + 0.5 * this.#clock.random());
  }
}

/** Something that may wait for room below an {@link InFlightLimit}. */
export interface LimitWaiter {
  dispatch(): void;
}

/** Somebody who may have claimed a unit and not told of it. */
export interface LimitUser {
  settle(): void;
}

/** Bounds the leases and requests in flight on one server, over all its pools. */
export class InFlightLimit {
  /** Units that are free; below 0 while more are taken than the present maximum allows. A small integer in any case. */
  #free: number;
  /** Who waits for a unit; made when somebody has to. */
  #blocked: Set<LimitWaiter> | undefined;
  #max: number;
  /** Whether there is a maximum. Without one a pool may claim a unit and tell of it later, when {@link LimitUser.settle} is called. */
  isBounded: boolean;
  readonly #users: LimitUser[] = [];

  constructor(max: number) {
    this.#max = max;
    this.isBounded = max !== Infinity;
    this.#free = countable(max);
  }

  get free(): number {
    return Math.max(this.#free, 0);
  }

  get max(): number {
    return this.#max;
  }

  set max(value: number) {
    this.isBounded = value !== Infinity;
    for (const user of this.#users) user.settle();
    this.#free += countable(value) - countable(this.#max);
    this.#max = value;
    if (this.#blocked !== undefined) this.#wake(this.#blocked);
  }

  /** Whether somebody waits for a unit. */
  get isAwaited(): boolean {
    return this.#blocked !== undefined;
  }

  /** Adds a pool that may claim units before it tells of them. */
  join(user: LimitUser): void {
    this.#users.push(user);
  }

  /** Takes note of a unit that is in use already. */
  claim(): void {
    this.#free--;
  }

  /** Takes one unit, or notes the waiter and returns false. */
  take(waiter: LimitWaiter): boolean {
    if (this.#free <= 0) {
      this.await(waiter);
      return false;
    }
    this.#free--;
    return true;
  }

  /** Calls the waiter once, when units are free. */
  await(waiter: LimitWaiter): void {
    this.#blocked ??= new Set();
    this.#blocked.add(waiter);
  }

  give(): void {
    this.#free++;
    if (this.#blocked !== undefined) this.#wake(this.#blocked);
  }

  /** Forgets a pool that has closed. */
  part(user: LimitUser): void {
    const index = this.#users.indexOf(user);
    if (index >= 0) this.#users.splice(index, 1);
  }

  leave(waiter: LimitWaiter): void {
    this.#blocked?.delete(waiter);
    if (this.#blocked?.size === 0) this.#blocked = undefined;
  }

  #wake(blocked: ReadonlySet<LimitWaiter>): void {
    for (const waiter of [...blocked]) {
      if (this.#free <= 0) return;
      this.leave(waiter);
      waiter.dispatch();
    }
  }
}

/** Beyond any number of requests that a process could have in flight. */
const COUNTLESS = 2 ** 30;

function countable(max: number): number {
  return Math.min(max, COUNTLESS);
}

/** What the pools of one server share. */
export interface ServerState {
  readonly backoff: ConnectBackoff;
  readonly limit: InFlightLimit;
  /** Limits of single tools, by name. */
  readonly toolLimits: LateMap<string, InFlightLimit>;
  /** Kinds of requests that the server answered although it had read their cancellation. */
  readonly answeredLate: LateSet<string>;
  /** What plugins share between the pools, by name. */
  readonly shared: LateMap<string, unknown>;
}
