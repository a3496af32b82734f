import { fromNow } from "./call-time.ts";
import { CIRCUIT_BREAKER, type CircuitBreaker } from "./circuit-breaker.ts";
import type { McpClient, Requester } from "./client.ts";
import { ConnectionEntry } from "./connection-entry.ts";
import type { Connector, ServerNotification, Unsubscribe } from "./connector.ts";
import { McpConfigurationError, type McpPoolError } from "./errors.ts";
import type { PoolEventType } from "./event-hub.ts";
import type { PoolEventListener } from "./events.ts";
import { lendNext } from "./fast-lane.ts";
import { announcesOtherwise } from "./handler-router.ts";
import { HEALTH, type HealthMonitor } from "./health-monitor.ts";
import type { Lease } from "./lease.ts";
import { type AcquireOptions, type PoolOptions, type RequestOptions, resolvePoolOptions } from "./options.ts";
import type { PoolPlugin } from "./plugin.ts";
import type { PoolEnvironment } from "./pool-environment.ts";
import { type McpConnectionPoolOptions, PoolParts } from "./pool-parts.ts";
import type { ListToolsResult, ResourceParams } from "./protocol.ts";
import { drainError, optionsError } from "./request-options.ts";
import type { SubscribeOptions } from "./resource-subscriptions.ts";
import { announcesRootsChanges, sendRootsListChanged } from "./roots-changes.ts";
import type { LoggingLevel } from "./session-logging.ts";
import type { PoolStats } from "./stats.ts";
import { closedError } from "./wait-errors.ts";

/** How long `close()` waits for work under way, in milliseconds, unless told otherwise. */
const DRAIN_TIMEOUT_MS = 10_000;

/**
 * A pool of connections to one MCP server, for one identity and one way of sharing.
 *
 * Connections open on first use, or at {@link warmUp}. Whatever returns a promise rejects with an {@link McpPoolError},
 * with the server's own JSON-RPC error, or with the reason of the caller's signal.
 */
export class McpConnectionPool implements Requester, AsyncDisposable {
  readonly #parts: PoolParts;
  /** Speaks MCP through the pool: each call takes whichever connection has room. */
  readonly client: McpClient;
  #closing: Promise<void> | undefined;

  /**
   * @param connector opens the connections; see `@mcp-pool/connector`
   * @param plugins wrap requests and connects; the first one is the outermost
   * @throws {McpConfigurationError} which lists every bad option
   */
  constructor(
    connector: Connector,
    options: McpConnectionPoolOptions = {},
    plugins: readonly PoolPlugin[] = [],
    environment: PoolEnvironment = {},
  ) {
    this.#parts = new PoolParts(connector, options, plugins, environment);
    this.client = this.#parts.client;
  }

  /** Name of the pool: the server's, unless the server has several pools. */
  get name(): string {
    return this.#parts.context.poolName;
  }

  get serverName(): string {
    return this.#parts.context.serverName;
  }

  get identity(): string | undefined {
    return this.#parts.context.identity;
  }

  get isClosed(): boolean {
    return this.#parts.dispatcher.isClosed;
  }

  /**
   * The pool's circuit breaker.
   * @throws {McpConfigurationError} when no plugin of `@mcp-pool/breaker` is installed
   */
  get circuitBreaker(): CircuitBreaker {
    const handle = this.plugin(CIRCUIT_BREAKER);
    if (handle !== undefined) return handle as CircuitBreaker;
    const message = `the pool of MCP server "${this.serverName}" has no circuit breaker; install @mcp-pool/breaker and pass circuitBreaker()`;
    throw new McpConfigurationError([{ path: "plugins", message }], { serverName: this.serverName });
  }

  /**
   * The pool's health checks.
   * @throws {McpConfigurationError} when no plugin of `@mcp-pool/health` is installed
   */
  get health(): HealthMonitor {
    const handle = this.plugin(HEALTH);
    if (handle !== undefined) return handle as HealthMonitor;
    const message = `the pool of MCP server "${this.serverName}" has no health checks; install @mcp-pool/health and pass health()`;
    throw new McpConfigurationError([{ path: "plugins", message }], { serverName: this.serverName });
  }

  /** Returns what a plugin offers its users, if it is installed and offers something. */
  plugin(name: string): unknown {
    return this.#parts.plugins.handle(name);
  }

  /**
   * Borrows a connection if one is ready, has room, and nobody waits for it. Synchronous.
   * A connection that would have to be probed is not lent; its probe starts, and a later call finds it.
   */
  tryAcquire(): Lease | undefined {
    const { dispatcher, plugins, leases } = this.#parts;
    if (dispatcher.isClosed || plugins.admit("lease") !== undefined) return undefined;
    const entry = dispatcher.take();
    return entry && leases.issue(entry, undefined);
  }

  /**
   * Borrows a connection; give the lease back with `release()`, `discard()` or `await using`.
   * @throws {McpPoolExhaustedError} when all room stays taken for `acquireTimeoutMs`, or the queue is full
   * @throws {McpSessionLostError} once, when the connection that kept the sticky key's state is gone
   */
  acquire(options?: AcquireOptions): Promise<Lease> {
    const { context, leases, dispatcher, plugins } = this.#parts;
    if (options !== undefined) return this.#acquire(options);
    if (dispatcher.isClosed) return this.#acquirePlain(undefined);
    const refusal = plugins.admit("lease");
    if (refusal === undefined) {
      const next = lendNext(context);
      if (next !== undefined) return Promise.resolve(leases.issue(next, undefined));
      const granted = dispatcher.followOn(leases.plainTerms);
      if (granted !== undefined) return granted;
    }
    return this.#acquirePlain(refusal);
  }

  #acquirePlain(refusal: McpPoolError | undefined): Promise<Lease> {
    const { acquisition, leases } = this.#parts;
    try {
      const entry = acquisition.takeUnless(refusal);
      return entry === undefined
        ? acquisition.wait(leases.plainTerms)
        : Promise.resolve(leases.issue(entry, undefined));
    } catch (error) {
      acquisition.onFailed(error, 0, "acquire");
      return Promise.reject(error);
    }
  }

  #acquire(options: AcquireOptions): Promise<Lease> {
    const { acquisition, leases } = this.#parts;
    try {
      // Whoever passes null is told so before its handlers are looked at.
      const room = acquisition.acquire(options, () => leases.terms(options.handlers));
      return room instanceof ConnectionEntry ? Promise.resolve(leases.issue(room, options.handlers)) : room;
    } catch (error) {
      acquisition.onFailed(error, 0, "acquire");
      return Promise.reject(error);
    }
  }

  /** Borrows a connection for one piece of work, and gives it back however that ends. */
  async use<T>(work: (client: McpClient, lease: Lease) => Promise<T> | T, options?: AcquireOptions): Promise<T> {
    const lease = await this.acquire(options);
    try {
      const result = await work(lease.client, lease);
      lease.release();
      return result;
    } catch (error) {
      lease.release(error);
      throw error;
    }
  }

  /** Sends any request on whichever connection has room, and resolves with the JSON-RPC result. */
  request(method: string, params?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<unknown> {
    return this.#parts.path.request(method, params, options);
  }

  /** Runs requests that belong together, such as the pages of a list, on one connection. */
  onOneConnection<T>(work: (requester: Requester) => Promise<T>): Promise<T> {
    return this.#parts.path.onOneConnection(work);
  }

  /** Lists the tools of the server; from a cache until it announces a change, `toolListTtlMs` pass, or its version changes. With headers of its own, a call is not served from it. */
  listTools(options: RequestOptions = {}): Promise<ListToolsResult> {
    const { context, tools } = this.#parts;
    const problem = this.isClosed ? closedError(context) : optionsError(options, this.serverName);
    if (problem !== undefined) return this.#parts.path.refuse("tools/list", undefined, options, problem);
    // Headers may decide what the server shows.
    return options.headers === undefined
      ? tools.get(fromNow(options, context.options.requestTimeoutMs, context.clock))
      : this.client.listTools(options);
  }

  /** Has the server announce changes of a resource, to `onUpdated` and as `notification-received` events; restored after a reconnect. */
  subscribeResource(params: ResourceParams, options?: SubscribeOptions): Promise<void> {
    return this.#parts.subscriptions.add(params?.uri, options);
  }

  /** Ends one {@link subscribeResource}. */
  unsubscribeResource(params: ResourceParams, options?: SubscribeOptions): Promise<void> {
    return this.#parts.subscriptions.remove(params?.uri, options);
  }

  /** Sets from which level on the server sends log messages, as notifications; on connections to come, too. */
  setLoggingLevel(level: LoggingLevel): Promise<void> {
    return this.#parts.logging.set(level);
  }

  /** Whether servers are told that this client has roots, and announces when they change. */
  get announcesRootsChanges(): boolean {
    return announcesRootsChanges(this.#parts.context.options);
  }

  /**
   * Tells the server on all open connections that the roots have changed which the handler lists, so that it asks again.
   * @throws {McpValidationError} unless `handlers` hold `roots` and `features.roots.listChanged`
   */
  sendRootsListChanged(): Promise<void> {
    return sendRootsListChanged(this.#parts.dispatcher.set, this.#parts.context);
  }

  /** Listens to what the server announces on any connection of the pool; on several it may announce the same. */
  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe {
    return this.subscribe(
      (event) => event.type === "notification-received" && listener(event.notification),
      ["notification-received"],
    );
  }

  /** Opens `minConnections` now. Rejects when a connect fails. */
  warmUp(): Promise<void> {
    return this.isClosed ? Promise.reject(closedError(this.#parts.context)) : this.#parts.warmUp.run();
  }

  /** Takes a snapshot, ready for JSON. */
  stats(): PoolStats {
    return this.#parts.stats();
  }

  /** Listens to all events of the pool, or to those of the given types. */
  subscribe(listener: PoolEventListener, types?: readonly PoolEventType[]): Unsubscribe {
    return this.#parts.context.events.subscribe(listener, types);
  }

  /**
   * Puts new options in force; callers in the queue stay there. With a new connector, or where servers must be told of other
   * handlers than before, open connections drain and are replaced.
   * @throws {McpConfigurationError} which lists every bad option; then nothing has changed
   */
  reconfigure(options: PoolOptions, connector?: Connector, priority?: number): void {
    if (this.isClosed) throw closedError(this.#parts.context);
    const resolved = resolvePoolOptions(options);
    if (resolved.sharing !== this.#parts.context.options.sharing) {
      throw new McpConfigurationError([{ path: "sharing", message: "cannot change in a pool that is open" }]);
    }
    const old = this.#parts.context.options;
    this.#parts.context.options = resolved;
    this.#parts.dispatcher.settle();
    this.#parts.dispatcher.growth.priority = priority ?? this.#parts.dispatcher.growth.priority;
    const isOther = connector !== undefined && connector !== this.#parts.context.connector;
    if (isOther) this.#parts.context.connector = connector;
    const isRenewed = isOther || announcesOtherwise(old, resolved);
    if (isRenewed) {
      this.#parts.tools.invalidate();
      this.#parts.dispatcher.growth.renew();
    } else {
      this.#parts.dispatcher.growth.fit();
    }
    this.#parts.context.events.emit({ type: "pool-reconfigured", isRenewed });
    this.#parts.dispatcher.dispatch();
  }

  /**
   * Rejects those who wait, lets work under way end, and closes every connection. Calling it again changes nothing.
   * Resolves within `drainTimeoutMs` (default 10 000) and 10 s for connections that do not close.
   */
  close({ drainTimeoutMs = DRAIN_TIMEOUT_MS }: { readonly drainTimeoutMs?: number | undefined } = {}): Promise<void> {
    const problem = drainError(drainTimeoutMs, this.serverName);
    if (problem !== undefined) return Promise.reject(problem);
    if (this.#closing === undefined) {
      // Set before anything is closed: a listener may call this again.
      this.#closing = new Promise<void>((resolve) => {
        this.#parts.onEmpty = resolve;
      }).then(() => this.#end());
      this.#parts.subscriptions.clear();
      this.#parts.dispatcher.close(drainTimeoutMs);
      this.#parts.warmUp.onChange();
    }
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(): void {
    this.#parts.path.end();
    this.#parts.recycler.end();
    if (this.#parts.ownsWheel) this.#parts.context.wheel.dispose();
    this.#parts.context.events.emit({ type: "pool-closed" });
    this.#parts.records.isOver = true;
    this.#parts.plugins.dispose((error) => this.#parts.context.events.emit({ type: "listener-failed", error }));
  }
}
