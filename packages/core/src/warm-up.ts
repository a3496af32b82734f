import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { McpPoolError } from "./errors.ts";

interface Waiting {
  resolve(): void;
  reject(error: McpPoolError): void;
}

/** Opens the minimum of connections ahead of use, for those who wait until it is open. */
export class WarmUp {
  readonly #context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #waiting = new Set<Waiting>();
  #lastError: McpPoolError | undefined;

  constructor(context: PoolContext, dispatcher: Dispatcher) {
    this.#context = context;
    this.#dispatcher = dispatcher;
  }

  /** Resolves when the minimum is open, or when the global cap allows no more; rejects when a connect fails. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add({ resolve, reject });
      this.#dispatcher.growth.start();
      this.#dispatcher.dispatch();
      this.onChange();
    });
  }

  onChange(): void {
    const { set, growth, isClosed } = this.#dispatcher;
    const isMet = set.usable >= this.#context.options.minConnections;
    if (!isMet && growth.isOpening && !isClosed) return;
    const error = isMet ? undefined : this.#lastError;
    for (const waiting of this.#waiting) {
      if (error === undefined) waiting.resolve();
      else waiting.reject(error);
    }
    this.#waiting.clear();
    this.#lastError = undefined;
  }

  onFailed(error: McpPoolError): void {
    if (this.#waiting.size === 0) return;
    this.#lastError = error;
    this.onChange();
  }
}
