import type { PoolControl, PoolEvent, PoolEventListener, Timer } from "@mcp-pool/core";

/** For how long events wait, in milliseconds, and how many of them. */
const DELAY_MS = 10;
const MAX_WAITING = 1_000;

/**
 * Keeps the events of one pool for a moment, so that what it costs to record a value is added to nobody's answer. Whoever
 * reads what was recorded flushes first.
 */
export class EventQueue {
  readonly #pool: PoolControl;
  readonly #listener: PoolEventListener;
  #waiting: PoolEvent[] = [];
  #timer: Timer | undefined;

  constructor(pool: PoolControl, listener: PoolEventListener) {
    this.#pool = pool;
    this.#listener = listener;
  }

  push(event: PoolEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length >= MAX_WAITING) this.flush();
    else if (this.#timer === undefined) {
      this.#timer = this.#pool.clock.setTimer(() => this.flush(), DELAY_MS);
      this.#timer.unref();
    }
  }

  /** Hands all events on, in their order. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const events = this.#waiting;
    this.#waiting = [];
    for (const event of events) {
      try {
        this.#listener(event);
      } catch (error) {
        this.#pool.emit({ type: "listener-failed", error });
      }
    }
  }
}
