import type { Clock, Timer } from "./clock.ts";

/** Something with a deadline; the links belong to the wheel. */
export interface Deadline {
  /** Called once, when the deadline has passed and nothing removed it before. */
  onDeadline(): void;
  /** The millisecond in which it ends, or 0 while it is in no wheel. */
  deadlineKey: number;
  deadlinePrevious: Deadline | undefined;
  deadlineNext: Deadline | undefined;
}

/** A deadline that only calls back. */
export class Timeout implements Deadline {
  deadlineKey = 0;
  deadlinePrevious: Deadline | undefined;
  deadlineNext: Deadline | undefined;
  readonly onDeadline: () => void;

  constructor(onDeadline: () => void) {
    this.onDeadline = onDeadline;
  }
}

/**
 * Serves any number of deadlines with one timer: a deadline joins and leaves in constant time.
 * Deadlines of the same millisecond share a bucket; a heap orders the buckets.
 * The timer keeps the process alive only while a deadline is pending.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Deadline>();
  #keys: number[] = [];
  #size = 0;
  /** The bucket used last, kept out of the map: who comes in the same millisecond needs no look-up. 0: there is none. */
  #lastKey = 0;
  #lastHead: Deadline | undefined;
  #timer: Timer | undefined;
  #timerKey = Infinity;
  #isIdle = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a deadline at a time of the clock, or moves it there. `Infinity` only removes it. */
  set(deadline: Deadline, atMs: number): void {
    if (deadline.deadlineKey !== 0) this.remove(deadline);
    if (atMs === Infinity) return;
    const key = Math.max(Math.ceil(atMs) || 1, 1);
    if (key !== this.#lastKey) this.#open(key);
    const head = this.#lastHead;
    deadline.deadlineKey = key;
    deadline.deadlineNext = head;
    if (head !== undefined) head.deadlinePrevious = deadline;
    this.#lastHead = deadline;
    this.#size++;
    if (key < this.#timerKey) this.#arm(key);
    if (this.#isIdle) {
      this.#isIdle = false;
      this.#timer?.ref();
    }
  }

  /** Takes a deadline out; does nothing when it has fired or was never added. */
  remove(deadline: Deadline): void {
    const key = deadline.deadlineKey;
    if (key === 0) return;
    const { deadlinePrevious: previous, deadlineNext: next } = deadline;
    if (previous !== undefined) previous.deadlineNext = next;
    else if (key === this.#lastKey) this.#lastHead = next;
    else if (next !== undefined) this.#buckets.set(key, next);
    else this.#buckets.delete(key);
    if (next !== undefined) next.deadlinePrevious = previous;
    deadline.deadlineKey = 0;
    deadline.deadlinePrevious = undefined;
    deadline.deadlineNext = undefined;
    if (--this.#size === 0) this.#rest();
    else if (this.#keys.length > 64 && this.#keys.length > 2 * (this.#buckets.size + 1)) this.#compact();
  }

  /** Stops the timer. Deadlines that are left never fire. */
  dispose(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerKey = Infinity;
    this.#buckets.clear();
    this.#forgetKeys();
  }

  /** Makes a bucket the one used last. */
  #open(key: number): void {
    if (this.#lastHead !== undefined) this.#buckets.set(this.#lastKey, this.#lastHead);
    const head = this.#buckets.get(key);
    if (head === undefined) this.#pushKey(key);
    else this.#buckets.delete(key);
    this.#lastKey = key;
    this.#lastHead = head;
  }

  #headOf(key: number): Deadline | undefined {
    return key === this.#lastKey ? this.#lastHead : this.#buckets.get(key);
  }

  #rest(): void {
    this.#isIdle = true;
    this.#timer?.unref();
    if (this.#keys.length > 64) this.#forgetKeys();
  }

  #forgetKeys(): void {
    this.#keys = [];
    this.#lastKey = 0;
    this.#lastHead = undefined;
  }

  #arm(key: number): void {
    this.#timer?.cancel();
    this.#timerKey = key;
    this.#timer = this.#clock.setTimer(() => this.#fire(), Math.max(key - this.#clock.now(), 0));
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerKey = Infinity;
    const now = this.#clock.now();
    for (let key = this.#keys[0]; key !== undefined && key <= now; key = this.#keys[0]) {
      for (let due = this.#headOf(key); due !== undefined; due = this.#headOf(key)) {
        this.remove(due);
        due.onDeadline();
      }
      if (this.#keys[0] !== key) continue;
      this.#popKey();
      if (key === this.#lastKey) this.#lastKey = 0;
    }
    const earliest = this.#keys[0];
    if (earliest === undefined || this.#size === 0) return;
    if (earliest < this.#timerKey) this.#arm(earliest);
  }

  #compact(): void {
    this.#keys = [...this.#buckets.keys()];
    if (this.#lastKey !== 0) this.#keys.push(this.#lastKey);
    this.#keys.sort((a, b) => a - b);
  }

  #pushKey(key: number): void {
    const keys = this.#keys;
    let index = keys.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const parentKey = keys[parent] as number;
      if (parentKey <= key) break;
      keys[index] = parentKey;
      index = parent;
    }
    keys[index] = key;
  }

  #popKey(): void {
    const keys = this.#keys;
    const last = keys.pop();
    if (last === undefined || keys.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= keys.length) break;
      if (child + 1 < keys.length && (keys[child + 1] as number) < (keys[child] as number)) child++;
      if ((keys[child] as number) >= last) break;
      keys[index] = keys[child] as number;
      index = child;
    }
    keys[index] = last;
  }
}
