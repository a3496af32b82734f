import { type CapacityClaimant, ConnectionCap } from "./capacity.ts";
import type { Requester } from "./client.ts";
import { type Clock, systemClock, type Timer } from "./clock.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { type Issue, McpConfigurationError, McpPoolClosedError, McpServerNotFoundError } from "./errors.ts";
import { ManagedServer, type ManagedServerEnvironment } from "./managed-server.ts";
import { ManagerEvents } from "./manager-events.ts";
import {
  type ManagerCloseOptions,
  type McpConnectionManagerOptions,
  type McpServerDefinition,
  managerIssues,
  SERVER_PATH,
  type ServerPath,
  serverIssues,
} from "./manager-options.ts";
import type { McpConnectionPool } from "./pool.ts";
import { drainError } from "./request-options.ts";

const DEFAULT_MAX_TOTAL_CONNECTIONS = 100;
const DEFAULT_CLEANUP_INTERVAL_MS = 300_000;

/** The servers of a manager, with what they share: the clock, the deadlines, the global cap, and the listeners. */
export class ServerRegistry {
  readonly cap: ConnectionCap;
  readonly events: ManagerEvents = new ManagerEvents();
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #servers = new Map<string, ManagedServer>();
  /** What calls without options are sent by, where nothing else may come of them. They need not look at the server. */
  readonly #plain = new Map<string, Requester>();
  readonly #claimants = new Map<McpConnectionPool, CapacityClaimant>();
  readonly #serverPath: ServerPath;
  /** Removed servers that are not closed yet. */
  readonly #leaving = new Set<Promise<void>>();
  #options: McpConnectionManagerOptions;
  #sweeper: Timer | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /**
   * @param issues what is known to be wrong already
   * @throws {McpConfigurationError} which lists every problem
   */
  constructor(
    options: McpConnectionManagerOptions,
    issues: readonly Issue[] = [],
    serverPath: ServerPath = SERVER_PATH,
  ) {
    refuse([...issues, ...managerIssues(options, serverPath)]);
    const { clock = systemClock, settings = {}, servers = {} } = options;
    this.#options = options;
    this.#serverPath = serverPath;
    this.#clock = clock;
    this.#wheel = new DeadlineWheel(clock);
    const max = settings.maxTotalConnections ?? DEFAULT_MAX_TOTAL_CONNECTIONS;
    this.cap = new ConnectionCap(max, clock, () => this.#claimants.values());
    for (const server of this.#make(Object.entries(servers), options)) this.#put(server);
    this.#scheduleSweep();
  }

  /** @throws {McpServerNotFoundError} which lists the known ones */
  get(name: string): ManagedServer {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    if (this.#isClosed) throw new McpPoolClosedError("the manager is closed", { serverName: name });
    throw new McpServerNotFoundError(name, [...this.#servers.keys()]);
  }

  /** Returns what sends calls without options, where nothing else may come of them. */
  plain(name: string): Requester | undefined {
    return this.#plain.get(name);
  }

  /** Names of the servers, or of those with a tag. */
  names(tag?: string): readonly string[] {
    const matches = ({ definition }: ManagedServer) => tag === undefined || definition.tags?.includes(tag);
    return this.all()
      .filter(matches)
      .map(({ name }) => name);
  }

  all(): readonly ManagedServer[] {
    return [...this.#servers.values()];
  }

  /** @throws {McpConfigurationError} which lists every problem; `issues` holds those that are known already */
  add(name: string, definition: McpServerDefinition, issues: readonly Issue[] = []): void {
    this.#checkOpen();
    const taken = this.#servers.has(name) ? [{ path: this.#serverPath(name), message: "is there already" }] : [];
    refuse([...issues, ...taken, ...serverIssues(name, definition, this.#options, this.#serverPath)]);
    for (const server of this.#make([[name, definition]], this.#options)) this.#put(server);
  }

  async remove(name: string, drainTimeoutMs: number | undefined): Promise<void> {
    const problem = drainTimeoutMs === undefined ? undefined : drainError(drainTimeoutMs, name);
    if (problem !== undefined) throw problem;
    const server = this.get(name);
    this.#servers.delete(name);
    this.#plain.delete(name);
    const leaving = server.close(drainTimeoutMs);
    this.#leaving.add(leaving);
    await leaving;
    this.#leaving.delete(leaving);
  }

  /**
   * Puts a configuration in force before it returns; the promise is that of removed servers, which may drain for long.
   * @param onAccepted called when nothing can fail any more, before anything is changed
   * @throws {McpConfigurationError} which lists every problem; `issues` holds those that are known already
   */
  reload(
    options: McpConnectionManagerOptions,
    issues: readonly Issue[] = [],
    onAccepted: () => void = () => {},
  ): Promise<unknown> {
    this.#checkOpen();
    refuse([...issues, ...managerIssues(options, this.#serverPath)]);
    const definitions = Object.entries(options.servers ?? {});
    const isKept = ([name, definition]: readonly [string, McpServerDefinition]) =>
      this.#servers.get(name)?.needsReplacing(definition, options) === false;
    // What may fail comes before anything is changed.
    const made = this.#make(
      definitions.filter((each) => !isKept(each)),
      options,
    );
    const kept = new Map(definitions.filter(isKept));
    onAccepted();
    this.#options = options;
    this.cap.max = options.settings?.maxTotalConnections ?? DEFAULT_MAX_TOTAL_CONNECTIONS;
    const removals: Promise<void>[] = [];
    for (const [name, server] of [...this.#servers]) {
      const definition = kept.get(name);
      if (definition === undefined) {
        removals.push(this.remove(name, undefined));
      } else {
        // Listeners hear of it in the midst: they may call the server, or remove it.
        this.#plain.delete(name);
        server.reconfigure(definition, options);
        if (this.#servers.get(name) === server) this.#put(server);
      }
    }
    for (const server of made) this.#put(server);
    this.#scheduleSweep();
    return Promise.all(removals);
  }

  /** Closes all servers for good, once; or removes those with a tag. */
  close({ drainTimeoutMs, tag }: ManagerCloseOptions): Promise<void> {
    const names = this.names(tag);
    const problem = drainTimeoutMs === undefined ? undefined : drainError(drainTimeoutMs, names.join(", "));
    if (problem !== undefined) return Promise.reject(problem);
    if (tag !== undefined && this.#closing === undefined) {
      return Promise.all(names.map((name) => this.remove(name, drainTimeoutMs))).then(() => {});
    }
    this.#closing ??= this.#close(drainTimeoutMs);
    return this.#closing;
  }

  #put(server: ManagedServer): void {
    const { name, plain } = server;
    this.#servers.set(name, server);
    if (plain === undefined) this.#plain.delete(name);
    else this.#plain.set(name, plain);
  }

  async #close(drainTimeoutMs: number | undefined): Promise<void> {
    this.#isClosed = true;
    this.#sweeper?.cancel();
    await Promise.all([...this.all().map((server) => server.close(drainTimeoutMs)), ...this.#leaving]);
    this.#wheel.dispose();
  }

  /** Makes servers: all, or none when a plugin fails. */
  #make(
    definitions: readonly (readonly [string, McpServerDefinition])[],
    options: McpConnectionManagerOptions,
  ): readonly ManagedServer[] {
    const made: ManagedServer[] = [];
    const environment: ManagedServerEnvironment = {
      clock: this.#clock,
      wheel: this.#wheel,
      capacity: this.cap,
      onPool: (pool, claimant) => {
        this.#claimants.set(pool, claimant);
        pool.subscribe(() => this.#claimants.delete(pool), ["pool-closed"]);
        this.events.add(pool);
      },
    };
    try {
      for (const [name, definition] of definitions) {
        made.push(new ManagedServer(name, definition, options, environment));
      }
    } catch (error) {
      for (const server of made) void server.close(0);
      throw error;
    }
    return made;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new McpPoolClosedError("the manager is closed");
  }

  /** Forgets, from time to time, the pools of identities that nobody uses any more. */
  #scheduleSweep(): void {
    this.#sweeper?.cancel();
    const { cleanupIntervalMs = DEFAULT_CLEANUP_INTERVAL_MS } = this.#options.settings ?? {};
    const sweep = () => {
      for (const server of this.#servers.values()) server.sweep(this.#clock.now() - cleanupIntervalMs);
      this.#scheduleSweep();
    };
    this.#sweeper = this.#clock.setTimer(sweep, cleanupIntervalMs);
    this.#sweeper.unref();
  }
}

function refuse(issues: readonly Issue[]): void {
  if (issues.length > 0) throw new McpConfigurationError(issues);
}
