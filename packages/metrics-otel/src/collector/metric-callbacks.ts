import type { Clock, Timer, Unsubscribe } from "@mcp-pool/core";

/** What is called with the metrics, each in its own spelling. */
type Callback = () => unknown;

/** Calls back again and again, as long as there is somebody to call and something to tell. */
export class MetricCallbacks {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #callbacks = new Set<{ readonly call: Callback }>();
  #intervalMs: number;
  #isActive = false;
  #timer: Timer | undefined;

  constructor(clock: Clock, intervalMs: number, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onError = onError;
  }

  add(call: Callback): Unsubscribe {
    const callback = { call };
    this.#callbacks.add(callback);
    this.#schedule();
    return () => {
      this.#callbacks.delete(callback);
      if (this.#callbacks.size === 0) this.#stop();
    };
  }

  /** Starts and stops the calls: without a pool there is nothing to tell. */
  setActive(isActive: boolean): void {
    this.#isActive = isActive;
    if (isActive) this.#schedule();
    else this.#stop();
  }

  setInterval(intervalMs: number): void {
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#stop();
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#isActive || this.#callbacks.size === 0 || this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined;
      for (const callback of [...this.#callbacks]) this.#run(callback.call);
      this.#schedule();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One that throws, or rejects, hurts nobody else. */
  #run(call: Callback): void {
    try {
      Promise.resolve(call()).catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }
}
