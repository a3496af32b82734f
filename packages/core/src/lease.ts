import { McpClient, type Requester } from "./client.ts";
import type { ClientHandlers } from "./client-handlers.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { ServerNotification, Unsubscribe } from "./connector.ts";
import { McpValidationError } from "./errors.ts";
import { onHeldConnection } from "./one-connection.ts";
import type { RequestOptions } from "./options.ts";
import type { HeldLease, PooledConnection } from "./plugin.ts";
import type { RefusedCall } from "./request-records.ts";

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
  /** Takes back a lease that ends as most do: with nothing to say, and nothing to clean up. */
  takeBack(lease: Lease, entry: ConnectionEntry): void;
  endLease(lease: Lease, entry: ConnectionEntry, isDiscarded: boolean, cause: unknown): void;
  onReleasedAgain(lease: Lease): void;
  onListenerFailed(error: unknown): void;
  sendRootsListChanged(entry: ConnectionEntry): Promise<void>;
  /** Is told of a call on the lease that ended before it could set out. */
  onRefused(call: RefusedCall): void;
}

/** What only some leases have. */
export interface LeaseExtras {
  /** The stack that acquired it, while a leak detector is on. */
  readonly stack?: string | undefined;
  /** What it brought to answer the server with. */
  readonly handlers?: ClientHandlers | undefined;
  client?: McpClient;
  unsubscribes?: Set<Unsubscribe> | undefined;
}

/**
 * A connection on loan. Give it back with {@link release}, with {@link discard} if it is broken, or with `await using`.
 * A second release does nothing, whoever holds the connection by then.
 */
export class Lease implements HeldLease, Requester, AsyncDisposable {
  /**
   * A promise asks what it is resolved with for this. To find nothing, it would look through all prototypes, which costs a tenth
   * of a lease.
   */
  // biome-ignore lint/suspicious/noThenProperty: it says that there is none
  readonly then: undefined = undefined;
  /** Unique within the pool. */
  readonly id: number;
  /** Clock time in milliseconds. */
  readonly acquiredAt: number;
  readonly #host: LeaseHost;
  readonly #entry: ConnectionEntry;
  #isReleased = false;
  /** What few leases have; the others need no room for it. */
  #extras: LeaseExtras | undefined;

  constructor(host: LeaseHost, entry: ConnectionEntry, id: number, acquiredAt: number, extras?: LeaseExtras) {
    this.#host = host;
    this.#entry = entry;
    this.#extras = extras;
    this.id = id;
    this.acquiredAt = acquiredAt;
  }

  /** Returns the connection of a lease that is still held. */
  static entryOf(lease: HeldLease): ConnectionEntry | undefined {
    return lease instanceof Lease && !lease.#isReleased ? lease.#entry : undefined;
  }

  /** Returns what a lease brought to answer the server with. */
  static handlersOf(lease: HeldLease | undefined): ClientHandlers | undefined {
    return lease instanceof Lease ? lease.#extras?.handlers : undefined;
  }

  /** The stack that acquired it, while a leak detector is on. */
  get stack(): string | undefined {
    return this.#extras?.stack;
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
    this.#extras ??= {};
    const { serverName, requestTimeoutMs, clock } = this.#host;
    this.#extras.client ??= new McpClient(this, {
      serverName,
      timeoutMs: requestTimeoutMs,
      clock,
      onRefused: (call) => this.#host.onRefused(call),
    });
    return this.#extras.client;
  }

  /**
   * The SDK's own client: an escape hatch past deadlines, judgement and metrics.
   * @throws {McpValidationError} after the release
   */
  get raw(): unknown {
    if (this.#isReleased) throw Lease.#releasedError(this);
    return this.#entry.connection.raw;
  }

  /** Sends any request on this connection and resolves with the JSON-RPC result. */
  request(method: string, params?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<unknown> {
    if (this.#isReleased) {
      const error = Lease.#releasedError(this);
      this.#host.onRefused({ method, params, options, error });
      return Promise.reject(error);
    }
    return this.#host.requestOnLease(this, method, params, options);
  }

  /**
   * Tells the server on this connection that the roots have changed which the handlers list, so that it asks again.
   * @throws {McpValidationError} after the release, or unless the server was told to expect it; see `pool.sendRootsListChanged`
   */
  async sendRootsListChanged(): Promise<void> {
    if (this.#isReleased) throw Lease.#releasedError(this);
    await this.#host.sendRootsListChanged(this.#entry);
  }

  /** Runs requests that belong together, such as the pages of a list, in one session of this connection. */
  onOneConnection<T>(work: (requester: Requester) => Promise<T>): Promise<T> {
    return onHeldConnection(this, this.#entry, this.#host.serverName, work);
  }

  /**
   * Listens to what the server announces on this connection, until the release. An exclusive connection carries nobody
   * else's; a shared one carries what is announced to all who share it.
   * @throws {McpValidationError} after the release
   */
  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe {
    if (this.#isReleased) throw Lease.#releasedError(this);
    const end = this.#entry.connection.onNotification((notification) => {
      try {
        listener(notification);
      } catch (error) {
        this.#host.onListenerFailed(error);
      }
    });
    this.#extras ??= {};
    this.#extras.unsubscribes ??= new Set();
    this.#extras.unsubscribes.add(end);
    return () => {
      if (this.#extras?.unsubscribes?.delete(end)) end();
    };
  }

  /**
   * Gives the connection back.
   * @param error what the work failed with, if it did; one that says the connection is broken takes it out of use
   */
  release(error?: unknown): void {
    if (error !== undefined || this.#extras !== undefined || this.#isReleased) {
      Lease.#end(this, false, error);
      return;
    }
    this.#isReleased = true;
    this.#host.takeBack(this, this.#entry);
  }

  /** Gives the connection back to be closed, not lent again. */
  discard(cause?: unknown): void {
    Lease.#end(this, true, cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  // Static, since private methods take every lease a word of its memory.
  static #end(lease: Lease, isDiscarded: boolean, cause: unknown): void {
    if (lease.#isReleased) {
      lease.#host.onReleasedAgain(lease);
      return;
    }
    lease.#isReleased = true;
    if (lease.#extras?.unsubscribes !== undefined) {
      for (const unsubscribe of lease.#extras.unsubscribes) Lease.#leave(lease, unsubscribe);
      lease.#extras.unsubscribes = undefined;
    }
    lease.#host.endLease(lease, lease.#entry, isDiscarded, cause);
  }

  /** What the connection throws meanwhile must not keep it from being given back. */
  static #leave(lease: Lease, unsubscribe: Unsubscribe): void {
    try {
      unsubscribe();
    } catch (error) {
      lease.#host.onListenerFailed(error);
    }
  }

  static #releasedError(lease: Lease): McpValidationError {
    const { serverName } = lease.#host;
    return new McpValidationError(`lease ${lease.id} of MCP server "${serverName}" was used after its release`, {
      serverName,
    });
  }
}
