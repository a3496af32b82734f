import { coarseTime } from "./coarse-time.ts";

/** A timer that a {@link Clock} has started. */
export interface Timer {
  /** Stops the timer; does nothing once it has fired. */
  cancel(): void;
  /** Lets the timer keep the process alive, as a new timer does. */
  ref(): void;
  /** Stops the timer from keeping the process alive. */
  unref(): void;
}

/** Supplies all time and chance in a pool, so that tests can replace both. */
export interface Clock {
  /** Returns monotonic time in milliseconds. */
  now(): number;
  /** Returns monotonic time in milliseconds that may lag a little behind {@link now}, and is cheaper. @default now */
  coarseNow?(): number;
  /** Calls back once when the present turn of the event loop is over, or sooner. @default when the present job is over */
  afterTurn?(callback: () => void): void;
  /** Returns wall-clock time in milliseconds since the epoch; for display only. */
  epochMs(): number;
  /** Calls back once after `delayMs` milliseconds. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Returns a number in [0, 1), used for jitter. */
  random(): number;
}

/** Reads a clock's coarse time, where it has one. */
export function coarseNow(clock: Clock): number {
  return clock.coarseNow === undefined ? clock.now() : clock.coarseNow();
}

/** Longest delay Node.js accepts; a longer one would fire at once. */
const MAX_DELAY_MS = 2_147_483_647;

const SETTLED = Promise.resolve();

/** Calls back when the present turn of the event loop is over, where the clock knows of turns; otherwise when the present job is. */
export function afterTurn(clock: Clock, callback: () => void): void {
  if (clock.afterTurn === undefined) void SETTLED.then(callback);
  else clock.afterTurn(callback);
}

const now = () => performance.now();

/** The machine's own clock. */
export const systemClock: Clock = {
  now,
  coarseNow: coarseTime({ now, setTimer }),
  afterTurn: (callback) => void setImmediate(callback),
  epochMs: () => Date.now(),
  setTimer,
  random: () => Math.random(),
};

function setTimer(callback: () => void, delayMs: number): Timer {
  const handle = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
  return {
    cancel: () => clearTimeout(handle),
    ref: () => void handle.ref(),
    unref: () => void handle.unref(),
  };
}
