/** How far back requests count. */
const WINDOW_MS = 300_000;
const SLICES = 30;
const SLICE_MS = WINDOW_MS / SLICES;
/** Fewer requests say nothing about a rate. */
const LEAST_REQUESTS = 10;

/** The part of requests that failed in the last five minutes, to within ten seconds. */
export class ErrorRate {
  readonly #requests = new Uint32Array(SLICES);
  readonly #failures = new Uint32Array(SLICES);
  #slice = 0;

  record(now: number, isFailure: boolean): void {
    this.#turn(now);
    const index = this.#slice % SLICES;
    this.#requests[index] = (this.#requests[index] ?? 0) + 1;
    if (isFailure) this.#failures[index] = (this.#failures[index] ?? 0) + 1;
  }

  /** From 0 to 100; 0 below ten requests. */
  percent(now: number): number {
    this.#turn(now);
    const requests = this.#requests.reduce((sum, each) => sum + each, 0);
    if (requests < LEAST_REQUESTS) return 0;
    return (100 * this.#failures.reduce((sum, each) => sum + each, 0)) / requests;
  }

  reset(): void {
    this.#requests.fill(0);
    this.#failures.fill(0);
  }

  /** Forgets what is too long ago. */
  #turn(now: number): void {
    const slice = Math.floor(now / SLICE_MS);
    if (slice <= this.#slice) return;
    for (let each = Math.max(this.#slice + 1, slice - SLICES + 1); each <= slice; each++) {
      this.#requests[each % SLICES] = 0;
      this.#failures[each % SLICES] = 0;
    }
    this.#slice = slice;
  }
}
