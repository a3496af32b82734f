import { McpClient, type Requester } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { McpValidationError } from "./errors.ts";
import type { RequestOptions } from "./options.ts";
import type { HeldLease, PooledConnection } from "./plugin.ts";

/** What a lease asks of its pool. */
export interface LeaseHost {
  readonly serverName: string;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  requestOnLease(
    lease: Lease,
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options?: RequestOptions,
  ): Promise<unknown>;
  endLease(lease: Lease, entry: ConnectionEntry, isDiscarded: boolean, cause: unknown): void;
  onReleasedAgain(lease: Lease): void;
}

/**
 * A connection on loan. Give it back with {@link release}, with {@link discard} if it is broken, or with `await using`.
 * A second release does nothing, whoever holds the connection by then.
 */
export class Lease implements HeldLease, Requester, AsyncDisposable {
  /** Unique within the pool. */
  readonly id: number;
  /** Clock time in milliseconds. */
  readonly acquiredAt: number;
  /** The stack that acquired it, while a leak detector is on. */
  readonly stack: string | undefined;
  readonly #host: LeaseHost;
  readonly #entry: ConnectionEntry;
  #client: McpClient | undefined;
  #isReleased = false;

  constructor(host: LeaseHost, entry: ConnectionEntry, id: number, acquiredAt: number, stack: string | undefined) {
    this.#host = host;
    this.#entry = entry;
    this.id = id;
    this.acquiredAt = acquiredAt;
    this.stack = stack;
  }

  /** Returns the connection of a lease that is still held. */
  static entryOf(lease: HeldLease): ConnectionEntry | undefined {
    return lease instanceof Lease && !lease.#isReleased ? lease.#entry : undefined;
  }

  get connectionId(): number {
    return this.#entry.id;
  }

  /** A view of the connection, for its state and what the server said of itself. */
  get connection(): PooledConnection {
    return this.#entry;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Speaks MCP on this very connection. */
  get client(): McpClient {
    const { serverName, requestTimeoutMs, clock } = this.#host;
    this.#client ??= new McpClient(this, { serverName, timeoutMs: requestTimeoutMs, clock });
    return this.#client;
  }

  /**
   * The SDK's own client: an escape hatch past deadlines, judgement and metrics.
   * @throws {McpValidationError} after the release
   */
  get raw(): unknown {
    if (this.#isReleased) throw this.#releasedError();
    return this.#entry.connection.raw;
  }

  /** Sends any request on this connection and resolves with the JSON-RPC result. */
  request(method: string, params?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<unknown> {
    if (this.#isReleased) return Promise.reject(this.#releasedError());
    return this.#host.requestOnLease(this, method, params, options);
  }

  /**
   * Gives the connection back.
   * @param error what the work failed with, if it did; one that says the connection is broken takes it out of use
   */
  release(error?: unknown): void {
    this.#end(false, error);
  }

  /** Gives the connection back to be closed, not lent again. */
  discard(cause?: unknown): void {
    this.#end(true, cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  #end(isDiscarded: boolean, cause: unknown): void {
    if (this.#isReleased) {
      this.#host.onReleasedAgain(this);
      return;
    }
    this.#isReleased = true;
    this.#host.endLease(this, this.#entry, isDiscarded, cause);
  }

  #releasedError(): McpValidationError {
    const { serverName } = this.#host;
    return new McpValidationError(`lease ${this.id} of MCP server "${serverName}" was used after its release`, {
      serverName,
    });
  }
}
