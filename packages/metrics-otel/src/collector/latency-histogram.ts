/** Shortest latency that is told from none, in milliseconds. */
const LEAST_MS = 0.05;
/** Each bucket ends this much above the one before; its middle is within 3.9 % of whatever is in it. */
const GROWTH = 1.08;
const LOG_GROWTH = Math.log(GROWTH);
/** Up to about an hour and a half; longer ones are in the last bucket, whose value is the longest seen. */
const BUCKETS = 242;

/** Latencies in figures. Times are in milliseconds; 0 where nothing was measured. */
export interface Timing {
  readonly count: number;
  readonly avgMs: number;
  /** Percentiles are within 5 % of the true ones, from 0.05 ms up. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Counts latencies in buckets of growing width, as HdrHistogram does; a latency costs a logarithm, and no memory. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #max = 0;

  record(ms: number): void {
    this.#count++;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
    const bucket = ms < LEAST_MS ? 0 : 1 + Math.floor(Math.log(ms / LEAST_MS) / LOG_GROWTH);
    const index = Math.min(bucket, BUCKETS - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  timing(): Timing {
    return {
      count: this.#count,
      avgMs: this.#count === 0 ? 0 : this.#sum / this.#count,
      p50Ms: this.#percentile(0.5),
      p95Ms: this.#percentile(0.95),
      p99Ms: this.#percentile(0.99),
      maxMs: this.#max,
    };
  }

  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#max = 0;
  }

  /** The smallest latency that at least this part of all does not exceed. */
  #percentile(part: number): number {
    const rank = Math.ceil(part * this.#count);
    if (rank === 0) return 0;
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return index === BUCKETS - 1 ? this.#max : Math.min(middleOf(index), this.#max);
    }
    return this.#max;
  }
}

function middleOf(index: number): number {
  return index === 0 ? 0 : LEAST_MS * GROWTH ** (index - 0.5);
}
