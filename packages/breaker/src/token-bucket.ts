/** Tokens to begin with, and at most. */
const CAPACITY = 500;
/** What a retry takes; after a time-out it takes more, since the server may still be at work on the first try. */
const RETRY_COST = 5;
const TIMEOUT_RETRY_COST = 10;
/** What a request that succeeds gives back. */
const SUCCESS_GAIN = 1;

/**
 * Bounds the retries of one server, so that they don't finish off what is in trouble: a hundred at first, and one for
 * every five successes after that. The numbers are those of the AWS SDKs' standard retry mode.
 */
export class TokenBucket {
  readonly #capacity: number;
  #tokens: number;

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
    this.#tokens = capacity;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Takes the price of one retry, or returns false and takes nothing. */
  take(isAfterTimeout: boolean): boolean {
    const cost = isAfterTimeout ? TIMEOUT_RETRY_COST : RETRY_COST;
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Takes note of a success. */
  succeeded(): void {
    if (this.#tokens < this.#capacity) this.#tokens = Math.min(this.#tokens + SUCCESS_GAIN, this.#capacity);
  }
}
