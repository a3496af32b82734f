import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { McpConnectionError, type McpPoolError } from "./errors.ts";
import { LateSet } from "./late-collections.ts";
import { closedError } from "./wait-errors.ts";

interface Waiting {
  resolve(): void;
  reject(error: McpPoolError): void;
}

/** Opens the minimum of connections ahead of use, for those who wait until it is open. */
export class WarmUp {
  readonly #context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #waiting = new LateSet<Waiting>();
  #lastError: McpPoolError | undefined;

  constructor(context: PoolContext, dispatcher: Dispatcher) {
    this.#context = context;
    this.#dispatcher = dispatcher;
  }

  /** Resolves when the minimum is open, or when the global cap allows no more; rejects when a connect fails, or has just failed. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#pauseMs <= 0) this.#lastError = undefined;
      this.#waiting.add({ resolve, reject });
      this.#dispatcher.start();
      this.#dispatcher.dispatch();
      this.onChange();
    });
  }

  /** Takes note of a new connection, or of the close. */
  onChange(): void {
    // While connects have failed they are made one at a time: the next one must be under way before the end is judged.
    if (this.#waiting.size > 0) this.#dispatcher.growth.grow();
    this.#settle();
  }

  onFailed(error: McpPoolError): void {
    this.#lastError = error;
    this.#settle();
  }

  #settle(): void {
    const { set, growth, isClosed } = this.#dispatcher;
    const isMet = set.usable >= this.#context.options.minConnections;
    if (!isMet && growth.isOpening && !isClosed) return;
    const error = isMet ? undefined : this.#error();
    for (const waiting of this.#waiting) {
      if (error === undefined) waiting.resolve();
      else waiting.reject(error);
    }
    this.#waiting.clear();
  }

  /** Milliseconds until the server is tried again. */
  get #pauseMs(): number {
    return this.#context.server.backoff.notBefore - this.#context.clock.now();
  }

  #error(): McpPoolError | undefined {
    const { serverName } = this.#context;
    if (this.#dispatcher.isClosed) return closedError(this.#context);
    if (this.#lastError !== undefined || this.#pauseMs <= 0) return this.#lastError;
    const message = `connections to MCP server "${serverName}" do not last; the next one is opened in ${Math.ceil(this.#pauseMs)} ms`;
    return new McpConnectionError(message, { serverName });
  }
}
