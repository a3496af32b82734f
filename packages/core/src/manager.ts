import type { CircuitBreaker } from "./circuit-breaker.ts";
import type { FallbackMethod } from "./circuit-fallback.ts";
import { callPlainTool, type McpClient } from "./client.ts";
import { AS_IT_IS, type ConfigTranslator } from "./config-translator.ts";
import type { ServerNotification, Unsubscribe } from "./connector.ts";
import { callServer } from "./degradation.ts";
import type { Issue } from "./errors.ts";
import type { PoolEventType } from "./event-hub.ts";
import type { PoolEventListener } from "./events.ts";
import type { Lease } from "./lease.ts";
import type { ManagerCloseOptions, McpConnectionManagerOptions, McpServerDefinition } from "./manager-options.ts";
import { type ManagerStats, managerStats } from "./manager-stats.ts";
import { McpToolsLease } from "./mcp-tools-lease.ts";
import type { AcquireOptions, RequestOptions } from "./options.ts";
import type { McpConnectionPool } from "./pool.ts";
import { type PoolMetrics, serverMetrics } from "./pool-metrics.ts";
import type {
  CallToolParams,
  CallToolResult,
  CompleteParams,
  CompleteResult,
  GetPromptParams,
  GetPromptResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  ReadResourceResult,
  ResourceParams,
} from "./protocol.ts";
import type { SubscribeOptions } from "./resource-subscriptions.ts";
import { checkServerHealth, type ServerHealth, serverHealth } from "./server-health.ts";
import { ServerRegistry } from "./server-registry.ts";
import type { LoggingLevel } from "./session-logging.ts";

type IdentityOptions = Pick<RequestOptions, "identity">;
type OwnedBy = { readonly identity?: string | undefined };
type NotificationListener = (notification: ServerNotification) => void;
type SubscriptionOptions = SubscribeOptions & IdentityOptions;

/**
 * Connections to any number of MCP servers, pooled per server, identity and way of sharing, below one global cap.
 *
 * Every method that returns a promise rejects with an `McpPoolError`, with the server's own JSON-RPC error, or with the
 * reason of the caller's signal; an unknown server is an {@link McpServerNotFoundError}.
 */
export class McpConnectionManager<Config = McpConnectionManagerOptions, Server = McpServerDefinition>
  implements AsyncDisposable
{
  readonly #translator: ConfigTranslator<Config, Server>;
  readonly #registry: ServerRegistry;
  #config: Config;

  /**
   * @param translator turns another form of configuration into core's; the facade has one
   * @throws {McpConfigurationError} which lists every problem
   */
  constructor(
    config: Config,
    translator: ConfigTranslator<Config, Server> = AS_IT_IS as unknown as ConfigTranslator<Config, Server>,
  ) {
    this.#translator = translator;
    this.#config = config;
    const issues: Issue[] = [];
    this.#registry = new ServerRegistry(translator.manager(config, issues), issues, translator.serverPath);
    translator.accepted?.();
  }

  /** The configuration in force, as it was given: to the constructor, or to the latest {@link reload} that was not refused. */
  get config(): Config {
    return this.#config;
  }

  /** Calls a tool. A result with `isError` is returned like any other. */
  callTool(server: string, params: CallToolParams, options?: RequestOptions): Promise<CallToolResult> {
    // As most calls are: without a function for each, nor a look at the server.
    const plain = options === undefined ? this.#registry.plain(server) : undefined;
    const answer = plain && callPlainTool(plain, params);
    if (answer !== undefined) return answer;
    return this.#call(server, "callTool", params, options, ({ client }, own) => client.callTool(params, own));
  }

  /** Lists the tools of every page; from a cache until the server announces a change. */
  listTools(server: string, options?: RequestOptions): Promise<ListToolsResult> {
    return this.#call(server, "listTools", undefined, options, (pool, own) => pool.listTools(own));
  }

  /** Lists the resources of every page. */
  listResources(server: string, options?: RequestOptions): Promise<ListResourcesResult> {
    return this.#call(server, "listResources", undefined, options, ({ client }, own) => client.listResources(own));
  }

  /** Lists the resource templates of every page. */
  listResourceTemplates(server: string, options?: RequestOptions): Promise<ListResourceTemplatesResult> {
    return this.#call(server, "listResourceTemplates", undefined, options, ({ client }, own) =>
      client.listResourceTemplates(own),
    );
  }

  /** Reads a resource. */
  readResource(server: string, params: ResourceParams, options?: RequestOptions): Promise<ReadResourceResult> {
    return this.#call(server, "readResource", params, options, ({ client }, own) => client.readResource(params, own));
  }

  /** Lists the prompts of every page. */
  listPrompts(server: string, options?: RequestOptions): Promise<ListPromptsResult> {
    return this.#call(server, "listPrompts", undefined, options, ({ client }, own) => client.listPrompts(own));
  }

  /** Gets a prompt with its arguments filled in. */
  getPrompt(server: string, params: GetPromptParams, options?: RequestOptions): Promise<GetPromptResult> {
    return this.#call(server, "getPrompt", params, options, ({ client }, own) => client.getPrompt(params, own));
  }

  /** Asks for proposals for the rest of an argument. */
  complete(server: string, params: CompleteParams, options?: RequestOptions): Promise<CompleteResult> {
    return this.#call(server, "complete", params, options, ({ client }, own) => client.complete(params, own));
  }

  /** Has the server announce changes of a resource, to `onUpdated` and as `notification-received` events; restored after a reconnect. */
  async subscribeResource(server: string, params: ResourceParams, options?: SubscriptionOptions): Promise<void> {
    await this.#registry.get(server).run(options, (pool) => pool.subscribeResource(params, options));
  }

  /** Ends one {@link subscribeResource}. */
  async unsubscribeResource(server: string, params: ResourceParams, options?: SubscriptionOptions): Promise<void> {
    await this.#registry.get(server).run(options, (pool) => pool.unsubscribeResource(params, options));
  }

  /** Sets from which level on a server sends log messages to one identity, also on connections to come; see {@link onNotification}. */
  async setLoggingLevel(server: string, level: LoggingLevel, options?: IdentityOptions): Promise<void> {
    const own = this.#registry.get(server);
    await own.run(options, ({ identity }) => own.setLoggingLevel(identity, level));
  }

  /** Tells a server, or all that expect it, that the roots have changed which its handlers list; see `pool.sendRootsListChanged`. */
  async sendRootsListChanged(server?: string, { identity }: OwnedBy = {}): Promise<void> {
    const servers = server === undefined ? this.#registry.all() : [this.#registry.get(server)];
    await Promise.all(servers.map((each) => each.sendRootsListChanged(identity, server !== undefined)));
  }

  /**
   * Listens to what a server announces on connections of one identity, or on those without one; pools to come included.
   * @throws {McpServerNotFoundError}
   */
  onNotification(server: string, listener: NotificationListener, options: OwnedBy = {}): Unsubscribe {
    return this.#registry.events.onNotification(this.#registry.get(server).name, options.identity, listener);
  }

  /** Borrows a connection; give it back with `release()`, `discard()` or `await using`. */
  async acquire(server: string, options: AcquireOptions = {}): Promise<Lease> {
    return this.#registry.get(server).run(options, (pool, own) => pool.acquire(own));
  }

  /** Borrows a connection for one piece of work, and gives it back however that ends. */
  async use<T>(
    server: string,
    work: (client: McpClient, lease: Lease) => Promise<T> | T,
    options: AcquireOptions = {},
  ): Promise<T> {
    return this.#registry.get(server).run(options, (pool, own) => pool.use(work, own));
  }

  /** Borrows a connection for its tools: `await using tools = await manager.getMcpTools("files")`. */
  async getMcpTools(server: string, options: AcquireOptions = {}): Promise<McpToolsLease> {
    return new McpToolsLease(await this.acquire(server, options));
  }

  /**
   * The pool of a server, for calls without an identity; there from the start, before any connection.
   * @throws {McpServerNotFoundError}
   */
  pool(server: string): McpConnectionPool {
    return this.#registry.get(server).main;
  }

  /** The pools of all servers, for calls without an identity. */
  get pools(): ReadonlyMap<string, McpConnectionPool> {
    return new Map(this.#registry.all().map(({ name, main }) => [name, main]));
  }

  /**
   * All pools of a server, those of identities included.
   * @throws {McpServerNotFoundError}
   */
  poolsOf(server: string): readonly McpConnectionPool[] {
    return [...this.#registry.get(server).pools()];
  }

  /** Names of the servers, or of those with a tag. */
  servers({ tag }: { readonly tag?: string | undefined } = {}): readonly string[] {
    return this.#registry.names(tag);
  }

  /**
   * The circuit breaker of a server, for an identity. Ask anew each time: an identity's pool is thrown away when nobody
   * uses it any more, unless its circuit is open or forced.
   * @throws {McpConfigurationError} when no plugin of `@mcp-pool/breaker` is installed
   */
  circuitBreaker(server: string, identity?: string): CircuitBreaker {
    return (identity === undefined ? this.pool(server) : this.#registry.get(server).pool(identity)).circuitBreaker;
  }

  /**
   * What the health checks of a server, or of all by name, have shown so far. Of several pools the one that does worst
   * speaks, and `pools` has each.
   * @throws {McpConfigurationError} when no plugin of `@mcp-pool/health` is installed
   */
  health(server: string): ServerHealth;
  health(): Readonly<Record<string, ServerHealth>>;
  health(server?: string): ServerHealth | Readonly<Record<string, ServerHealth>> {
    if (server !== undefined) return serverHealth(this.#registry.get(server));
    return Object.fromEntries(this.servers().map((name) => [name, this.health(name)]));
  }

  /**
   * Checks a server, or all side by side, now: all pools that have connections, and the pool without an identity in any
   * case. Rejects when no plugin of `@mcp-pool/health` is installed.
   */
  async checkHealth(server: string): Promise<ServerHealth>;
  async checkHealth(): Promise<Readonly<Record<string, ServerHealth>>>;
  async checkHealth(server?: string): Promise<ServerHealth | Readonly<Record<string, ServerHealth>>> {
    if (server !== undefined) return checkServerHealth(this.#registry.get(server));
    const checks = this.servers().map(async (name) => [name, await this.checkHealth(name)] as const);
    return Object.fromEntries(await Promise.all(checks));
  }

  /** What core itself knows of one server in figures, or of all by name. */
  getPoolMetrics(server: string): PoolMetrics;
  getPoolMetrics(): Readonly<Record<string, PoolMetrics>>;
  getPoolMetrics(server?: string): PoolMetrics | Readonly<Record<string, PoolMetrics>> {
    if (server !== undefined) return serverMetrics(this.#registry.get(server));
    return Object.fromEntries(this.servers().map((name) => [name, this.getPoolMetrics(name)]));
  }

  /** Takes a snapshot of all pools. */
  stats(): ManagerStats {
    return managerStats(this.#registry);
  }

  /**
   * Adds a server at run time.
   * @throws {McpConfigurationError} for bad options, or a name that is taken
   */
  addServer(name: string, server: Server): void {
    const issues: Issue[] = [];
    this.#registry.add(name, this.#translator.server(name, server, issues), issues);
  }

  /** Removes a server: it takes no more calls, drains, and closes. */
  async removeServer(name: string, options: Pick<ManagerCloseOptions, "drainTimeoutMs"> = {}): Promise<void> {
    await this.#registry.remove(name, options.drainTimeoutMs);
  }

  /**
   * Puts a new configuration in force. Unchanged servers keep their connections; resolves when removed ones are closed.
   * @throws {McpConfigurationError} which lists every problem; then nothing has changed
   */
  async reload(config: Config): Promise<void> {
    const issues: Issue[] = [];
    const options = this.#translator.manager(config, issues);
    await this.#registry.reload(options, issues, () => {
      this.#config = config;
      this.#translator.accepted?.();
    });
  }

  /** Opens the minimum of connections of a server, or of all. Rejects when a connect fails. */
  async warmUp(server?: string): Promise<void> {
    const servers = server === undefined ? this.#registry.all() : [this.#registry.get(server)];
    await Promise.all(servers.map(({ main }) => main.warmUp()));
  }

  /** Listens to all events of all pools, those to come included, or to events of the given types. */
  subscribe(listener: PoolEventListener, types?: readonly PoolEventType[]): Unsubscribe {
    return this.#registry.events.subscribe(listener, types);
  }

  /**
   * Closes all pools: rejects those who wait, lets work under way end, and closes every connection. Calling it again changes nothing.
   * With a tag it closes and removes the servers that have it, and leaves the others open.
   */
  close(options: ManagerCloseOptions = {}): Promise<void> {
    return this.#registry.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #call<T>(
    server: string,
    method: FallbackMethod,
    params: unknown,
    options: RequestOptions | undefined,
    work: (pool: McpConnectionPool, options: RequestOptions | undefined) => Promise<T>,
  ): Promise<T> {
    return callServer(this.#registry, server, { method, params, options, work });
  }
}
