import { type CapacityClaimant, ConnectionCap } from "./capacity.ts";
import { type Clock, systemClock, type Timer } from "./clock.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { McpConfigurationError, McpPoolClosedError, McpServerNotFoundError } from "./errors.ts";
import { ManagedServer } from "./managed-server.ts";
import { ManagerEvents } from "./manager-events.ts";
import {
  checkManagerOptions,
  checkServer,
  type McpConnectionManagerOptions,
  type McpServerDefinition,
} from "./manager-options.ts";
import type { McpConnectionPool } from "./pool.ts";

const DEFAULT_MAX_TOTAL_CONNECTIONS = 100;
const DEFAULT_CLEANUP_INTERVAL_MS = 300_000;

/** The servers of a manager, with what they share: the clock, the deadlines, the global cap, and the listeners. */
export class ServerRegistry {
  readonly cap: ConnectionCap;
  readonly events: ManagerEvents = new ManagerEvents();
  readonly #clock: Clock;
  readonly #wheel: DeadlineWheel;
  readonly #servers = new Map<string, ManagedServer>();
  readonly #claimants = new Map<McpConnectionPool, CapacityClaimant>();
  #options: McpConnectionManagerOptions;
  #sweeper: Timer | undefined;
  #isClosed = false;

  /** @throws {McpConfigurationError} which lists every problem */
  constructor(options: McpConnectionManagerOptions) {
    checkManagerOptions(options);
    const { clock = systemClock, settings = {}, servers = {} } = options;
    this.#options = options;
    this.#clock = clock;
    this.#wheel = new DeadlineWheel(clock);
    const max = settings.maxTotalConnections ?? DEFAULT_MAX_TOTAL_CONNECTIONS;
    this.cap = new ConnectionCap(max, clock, () => this.#claimants.values());
    for (const [name, definition] of Object.entries(servers)) this.#add(name, definition);
    this.#scheduleSweep();
  }

  /** @throws {McpServerNotFoundError} which lists the known ones */
  get(name: string): ManagedServer {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    if (this.#isClosed) throw new McpPoolClosedError("the manager is closed", { serverName: name });
    throw new McpServerNotFoundError(name, [...this.#servers.keys()]);
  }

  all(): readonly ManagedServer[] {
    return [...this.#servers.values()];
  }

  add(name: string, definition: McpServerDefinition): void {
    this.#checkOpen();
    checkServer(name, definition, this.#options);
    if (this.#servers.has(name)) {
      throw new McpConfigurationError([{ path: `servers.${name}`, message: "is there already" }]);
    }
    this.#add(name, definition);
  }

  async remove(name: string, drainTimeoutMs: number | undefined): Promise<void> {
    const server = this.get(name);
    this.#servers.delete(name);
    await server.close(drainTimeoutMs);
  }

  async reload(options: McpConnectionManagerOptions): Promise<void> {
    this.#checkOpen();
    checkManagerOptions(options);
    const { servers = {}, settings = {} } = options;
    this.#options = options;
    this.cap.max = settings.maxTotalConnections ?? DEFAULT_MAX_TOTAL_CONNECTIONS;
    const removals: Promise<void>[] = [];
    for (const [name, server] of [...this.#servers]) {
      const definition = Object.hasOwn(servers, name) ? servers[name] : undefined;
      if (definition !== undefined && !server.needsReplacing(definition, options)) {
        server.reconfigure(definition, options);
      } else {
        removals.push(this.remove(name, undefined));
      }
    }
    for (const [name, definition] of Object.entries(servers)) {
      if (!this.#servers.has(name)) this.#add(name, definition);
    }
    this.#scheduleSweep();
    await Promise.all(removals);
  }

  async close(drainTimeoutMs: number | undefined): Promise<void> {
    this.#isClosed = true;
    this.#sweeper?.cancel();
    await Promise.all(this.all().map((server) => server.close(drainTimeoutMs)));
    this.#wheel.dispose();
  }

  #add(name: string, definition: McpServerDefinition): void {
    const server = new ManagedServer(name, definition, this.#options, {
      clock: this.#clock,
      wheel: this.#wheel,
      capacity: this.cap,
      onPool: (pool, claimant) => {
        this.#claimants.set(pool, claimant);
        pool.subscribe(() => this.#claimants.delete(pool), ["pool-closed"]);
        this.events.add(pool);
      },
    });
    this.#servers.set(name, server);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new McpPoolClosedError("the manager is closed");
  }

  /** Forgets, from time to time, the pools of identities that nobody uses any more. */
  #scheduleSweep(): void {
    this.#sweeper?.cancel();
    const { cleanupIntervalMs = DEFAULT_CLEANUP_INTERVAL_MS } = this.#options.settings ?? {};
    const sweep = () => {
      for (const server of this.#servers.values()) server.sweep();
      this.#scheduleSweep();
    };
    this.#sweeper = this.#clock.setTimer(sweep, cleanupIntervalMs);
    this.#sweeper.unref();
  }
}
