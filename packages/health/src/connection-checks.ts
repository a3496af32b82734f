import {
  type CloseReason,
  McpHealthCheckError,
  McpPoolError,
  McpTimeoutError,
  type PoolControl,
  type PooledConnection,
} from "@mcp-pool/core";
import { askConnection, judgementIn } from "./check-method.ts";
import type { ResolvedHealthOptions } from "./health-options.ts";

/**
 * What asking one connection has shown.
 *
 * - `alive`, `dead` · `unclear`: silent with work on it, which proves nothing of a server that does one thing at a time
 */
export type Finding =
  | { readonly kind: "alive" }
  | { readonly kind: "unclear"; readonly error: McpPoolError }
  | { readonly kind: "dead"; readonly error: McpPoolError };

const RETIRED: CloseReason = "probe-failed";

/** Asks the connections of one pool, each at most once at a time, and retires those that fail too often. */
export class ConnectionChecks {
  readonly #options: ResolvedHealthOptions;
  readonly #pool: PoolControl;
  /** Failed checks in a row, by connection. */
  readonly #failures = new Map<number, number>();
  readonly #running = new Map<number, Promise<Finding>>();

  constructor(options: ResolvedHealthOptions, pool: PoolControl) {
    this.#options = options;
    this.#pool = pool;
  }

  check(connection: PooledConnection): Promise<Finding> {
    let running = this.#running.get(connection.id);
    if (running === undefined) {
      running = this.#check(connection).finally(() => this.#running.delete(connection.id));
      this.#running.set(connection.id, running);
    }
    return running;
  }

  /** Forgets connections that are gone. */
  keep(ids: ReadonlySet<number>): void {
    for (const id of this.#failures.keys()) if (!ids.has(id)) this.#failures.delete(id);
  }

  async #check(connection: PooledConnection): Promise<Finding> {
    try {
      await this.#withinTime((signal) => askConnection(this.#pool, connection, this.#options.checkMethod, signal));
      this.#failures.delete(connection.id);
      return { kind: "alive" };
    } catch (cause) {
      const error = this.#errorOf(cause);
      const judgement = judgementIn(cause);
      const isGone = judgement === "not-sent" || judgement === "session-lost";
      if (connection.inFlight > 0 && !isGone) return { kind: "unclear", error };
      const failures = (this.#failures.get(connection.id) ?? 0) + 1;
      this.#failures.set(connection.id, failures);
      if (isGone || failures >= this.#options.failureThreshold) this.#pool.retire(connection, RETIRED);
      // A server that has forgotten a session lives, though the connection is of no use.
      return judgement === "session-lost" ? { kind: "unclear", error } : { kind: "dead", error };
    }
  }

  /** Ends by the time whatever the work does about its signal. */
  async #withinTime(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, serverName } = this.#pool;
    const { timeoutMs } = this.#options;
    const controller = new AbortController();
    let stop = () => {};
    const timeIsUp = new Promise<never>((_resolve, reject) => {
      const timer = clock.setTimer(() => {
        const message = `MCP server "${serverName}" did not answer a check within ${timeoutMs} ms`;
        const error = new McpTimeoutError(message, { serverName, phase: "health-check", outcome: "unknown" });
        reject(error);
        controller.abort(error);
      }, timeoutMs);
      timer.unref();
      stop = () => timer.cancel();
    });
    try {
      await Promise.race([work(controller.signal), timeIsUp]);
    } finally {
      stop();
    }
  }

  #errorOf(cause: unknown): McpPoolError {
    if (McpPoolError.isInstance(cause)) return cause;
    const { serverName } = this.#pool;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new McpHealthCheckError(`a check of MCP server "${serverName}" failed: ${reason}`, { serverName, cause });
  }
}
