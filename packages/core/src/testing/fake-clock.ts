import { setImmediate } from "node:timers";
import type { Clock, Timer } from "../clock.ts";

/** A timer that has not fired yet. */
export interface PendingTimer {
  /** Time of the clock in milliseconds at which it fires. */
  readonly dueAt: number;
  /** Whether it would keep a process alive. */
  readonly isRef: boolean;
}

/** Options of a {@link FakeClock}. */
export interface FakeClockOptions {
  /** Time of the clock in milliseconds at the start. @default 1_000 */
  readonly now?: number | undefined;
  /** Wall-clock time at the start, in milliseconds since the epoch. @default 2026-01-01 */
  readonly epochMs?: number | undefined;
}

/** Timers that fire one after the other without time going on; more of them never end. */
const MAX_FIRED_AT_ONCE = 10_000;

/** A clock whose time goes on when the test says so, and whose chance is what the test says. */
export class FakeClock implements Clock {
  readonly #timers = new Set<FakeTimer>();
  readonly #epochOffsetMs: number;
  #now: number;
  #randoms: readonly number[] = [0.5];

  constructor({ now = 1_000, epochMs = Date.UTC(2026, 0, 1) }: FakeClockOptions = {}) {
    this.#now = now;
    this.#epochOffsetMs = epochMs - now;
  }

  now(): number {
    return this.#now;
  }

  epochMs(): number {
    return this.#epochOffsetMs + this.#now;
  }

  /** Returns what {@link setRandom} was given; 0.5 unless told otherwise. */
  random(): number {
    const [value = 0.5, ...rest] = this.#randoms;
    if (rest.length > 0) this.#randoms = rest;
    return value;
  }

  /** Sets what {@link random} returns: the values in turn, and the last one from then on. */
  setRandom(...values: readonly [number, ...number[]]): void {
    this.#randoms = values;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = new FakeTimer(callback, this.#now + Math.max(delayMs, 0), this.#timers);
    this.#timers.add(timer);
    return timer;
  }

  /** Timers that have not fired, in the order in which they will. */
  get pending(): readonly PendingTimer[] {
    return [...this.#timers].sort((a, b) => a.dueAt - b.dueAt).map(({ dueAt, isRef }) => ({ dueAt, isRef }));
  }

  /**
   * Lets time go on, and fires what is due in order. Before, between and after, everything that is ready runs.
   * @throws an Error when timers of no delay start each other for ever
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    let firedAtOnce = 0;
    for (let timer = this.#due(until); timer !== undefined; timer = this.#due(until)) {
      firedAtOnce = timer.dueAt > this.#now ? 0 : firedAtOnce + 1;
      if (firedAtOnce > MAX_FIRED_AT_ONCE) throw new Error("timers of no delay start each other for ever");
      this.#now = Math.max(this.#now, timer.dueAt);
      timer.fire();
      await this.settle();
    }
    this.#now = until;
  }

  /** Lets everything that is ready run, without time going on. */
  async settle(): Promise<void> {
    // All microtasks run before the first one; the second serves those who wait for a turn of the event loop themselves.
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  #due(until: number): FakeTimer | undefined {
    let earliest: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt <= until && timer.dueAt < (earliest?.dueAt ?? Infinity)) earliest = timer;
    }
    return earliest;
  }
}

class FakeTimer implements Timer, PendingTimer {
  readonly dueAt: number;
  isRef = true;
  readonly #callback: () => void;
  readonly #timers: Set<FakeTimer>;

  constructor(callback: () => void, dueAt: number, timers: Set<FakeTimer>) {
    this.#callback = callback;
    this.dueAt = dueAt;
    this.#timers = timers;
  }

  fire(): void {
    this.#timers.delete(this);
    this.#callback();
  }

  cancel(): void {
    this.#timers.delete(this);
  }

  ref(): void {
    this.isRef = true;
  }

  unref(): void {
    this.isRef = false;
  }
}
