import type { PoolControl, Timer } from "@mcp-pool/core";
import type { Attributes } from "@opentelemetry/api";

/** For how long measurements wait, in milliseconds, and how many of them. */
const DELAY_MS = 10;
const MAX_WAITING = 3_000;

/** Records one value of a histogram. */
export type RecordValue = (value: number, attributes: Attributes) => void;

/**
 * Keeps the measurements of one pool for a moment, so that what it costs to record a value is added to nobody's answer.
 * Whoever reads what was recorded flushes first. Numbers are kept rather than events, which would survive in the heap.
 */
export class MeasurementQueue {
  readonly #pool: PoolControl;
  #records: RecordValue[] = [];
  #values: number[] = [];
  #attributes: Attributes[] = [];
  #timer: Timer | undefined;

  constructor(pool: PoolControl) {
    this.#pool = pool;
  }

  push(record: RecordValue, value: number, attributes: Attributes): void {
    this.#records.push(record);
    this.#values.push(value);
    this.#attributes.push(attributes);
    if (this.#values.length >= MAX_WAITING) this.flush();
    else if (this.#timer === undefined) {
      this.#timer = this.#pool.clock.setTimer(() => this.flush(), DELAY_MS);
      this.#timer.unref();
    }
  }

  /** Records all, in their order. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#values.length === 0) return;
    const values = this.#values;
    const records = this.#records;
    const attributes = this.#attributes;
    this.#values = [];
    this.#records = [];
    this.#attributes = [];
    // Iterators would cost a tenth of the recording.
    for (let index = 0; index < values.length; index++) {
      try {
        records[index]?.(values[index] ?? 0, attributes[index] ?? {});
      } catch (error) {
        this.#pool.emit({ type: "listener-failed", error });
      }
    }
  }
}
