import type { PoolControl, Timer } from "@mcp-pool/core";
import type { Attributes } from "@opentelemetry/api";

/** For how long measurements wait, in milliseconds. */
const DELAY_MS = 10;
/** How many make a batch, which is recorded in the current turn of the event loop: those of some twenty calls. */
const BATCH_SIZE = 60;
/** How many wait for the end of a turn. */
const MAX_WAITING = 3_000;

/** Records one value of a histogram. */
export type RecordValue = (value: number, attributes: Attributes) => void;

/**
 * Keeps the measurements of one pool for a moment, so that what it costs to record a value is added to nobody's answer:
 * that is done while servers work. Whoever reads what was recorded flushes first. Numbers are kept rather than events,
 * which would survive in the heap; and few of them, since recording many in one go keeps answers waiting.
 */
export class MeasurementQueue {
  readonly #pool: PoolControl;
  #records: RecordValue[] = [];
  #values: number[] = [];
  #attributes: Attributes[] = [];
  #timer: Timer | undefined;
  #isBatchScheduled = false;
  readonly #onTurn = (): void => {
    this.#isBatchScheduled = false;
    this.#record();
  };

  constructor(pool: PoolControl) {
    this.#pool = pool;
  }

  push(record: RecordValue, value: number, attributes: Attributes): void {
    this.#records.push(record);
    this.#values.push(value);
    this.#attributes.push(attributes);
    const waiting = this.#values.length;
    if (waiting >= BATCH_SIZE) this.#scheduleBatch(waiting);
    else if (this.#timer === undefined) {
      this.#timer = this.#pool.clock.setTimer(() => this.flush(), DELAY_MS);
      this.#timer.unref();
    }
  }

  /** Records all, in their order. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#record();
  }

  /** By then the answers at hand have reached their callers, and the requests of these the servers. */
  #scheduleBatch(waiting: number): void {
    if (waiting >= MAX_WAITING) this.flush();
    else if (!this.#isBatchScheduled) {
      this.#isBatchScheduled = true;
      setImmediate(this.#onTurn).unref();
    }
  }

  #record(): void {
    if (this.#values.length === 0) return;
    const values = this.#values;
    const records = this.#records;
    const attributes = this.#attributes;
    this.#values = [];
    this.#records = [];
    this.#attributes = [];
    // An iterator would cost a tenth of the recording.
    for (let index = 0; index < values.length; index++) {
      try {
        records[index]?.(values[index] ?? 0, attributes[index] ?? {});
      } catch (error) {
        this.#pool.emit({ type: "listener-failed", error });
      }
    }
  }
}
