import type { CapacityClaimant } from "./capacity.ts";
import type { Clock } from "./clock.ts";
import type { Capacity } from "./context.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { McpPoolClosedError, McpPoolExhaustedError, McpValidationError } from "./errors.ts";
import { type McpConnectionManagerOptions, type McpServerDefinition, poolOptionsOf } from "./manager-options.ts";
import type { PoolOptions, RequestOptions, Sharing } from "./options.ts";
import type { PoolPlugin } from "./plugin.ts";
import { McpConnectionPool } from "./pool.ts";
import { createServerState, type PoolEnvironment } from "./pool-environment.ts";
import { resolveWithin } from "./resolvable.ts";
import type { ServerState } from "./server-state.ts";

/** Time for a function that supplies an identity, where nothing says how long a call may take, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_IDENTITIES = 1_000;
/** How exact the order of use is, in milliseconds. */
const ORDER_MS = 1_000;

/** What the servers of a manager share. */
export interface ManagedServerEnvironment {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly capacity: Capacity;
  /** Takes note of a new pool, and of its part in the global cap. */
  onPool(pool: McpConnectionPool, claimant: CapacityClaimant): void;
}

/** A pool that is made when it is asked for first, and thrown away when nobody uses it any more. */
interface DerivedPool {
  readonly pool: McpConnectionPool;
  /** Whether something is under way that may hold no connection. */
  readonly isActive: () => boolean;
  /** Clock time in milliseconds at which it was asked for last. */
  usedAt: number;
}

/** One server of a manager, with a pool for each identity and each way of sharing. */
export class ManagedServer {
  readonly name: string;
  readonly #environment: ManagedServerEnvironment;
  readonly #state: ServerState;
  readonly #derived = new Map<string, DerivedPool>();
  readonly #plugins: readonly PoolPlugin[];
  #definition: McpServerDefinition;
  #options: PoolOptions;
  #poolCount = 1;
  #isClosed = false;
  /** The pool without an identity; it is there from the start. */
  readonly main: McpConnectionPool;

  constructor(
    name: string,
    definition: McpServerDefinition,
    options: McpConnectionManagerOptions,
    environment: ManagedServerEnvironment,
  ) {
    this.name = name;
    this.#definition = definition;
    this.#environment = environment;
    this.#options = poolOptionsOf(definition, options);
    const shared = typeof options.plugins === "function" ? options.plugins(name) : (options.plugins ?? []);
    this.#plugins = [...shared, ...(definition.plugins ?? [])];
    const { maxConcurrentRequests = Infinity } = definition;
    this.#state = createServerState(environment.clock, definition.connector, maxConcurrentRequests);
    const minimum = definition.identityRequired ? { minConnections: 0 } : {};
    this.main = this.#create({ ...this.#options, ...minimum }, name, undefined);
  }

  get definition(): McpServerDefinition {
    return this.#definition;
  }

  *pools(): IterableIterator<McpConnectionPool> {
    yield this.main;
    for (const { pool } of this.#derived.values()) yield pool;
  }

  /**
   * Returns the pool for an identity and a way of sharing, and makes it when it is asked for first.
   * @throws {McpValidationError} when an identity is missing, or shared use is asked of an exclusive server
   * @throws {McpPoolClosedError} when it would have to be made after the close
   */
  pool(identity?: string, sharing: Sharing = this.#sharing): McpConnectionPool {
    if (identity !== undefined && (typeof identity !== "string" || identity === "")) {
      throw this.#invalid("identity", "must be a string that is not empty");
    }
    if (identity === undefined && this.#definition.identityRequired) {
      throw this.#invalid("identity", "is required by this server, and none was given");
    }
    if (sharing === this.#sharing && identity === undefined) return this.main;
    if (sharing !== "exclusive" && sharing !== "shared") {
      throw this.#invalid("sharing", `must be "shared" or "exclusive", not ${JSON.stringify(sharing)}`);
    }
    if (sharing === "shared" && this.#sharing === "exclusive") {
      throw this.#invalid("sharing", "cannot be shared on a server that is declared exclusive");
    }
    const key = JSON.stringify([sharing, identity]);
    let derived = this.#derived.get(key);
    if (derived === undefined) {
      if (this.#isClosed) {
        throw new McpPoolClosedError(`MCP server "${this.name}" is closed`, { serverName: this.name });
      }
      this.#makeRoom();
      derived = this.#derive(sharing, identity);
      this.#derived.set(key, derived);
    }
    this.#use(key, derived);
    return derived.pool;
  }

  /** Like {@link pool}, for the identity of a call; a promise only where a function supplies that. */
  poolFor(
    options: Pick<RequestOptions, "identity" | "signal" | "timeoutMs"> | undefined,
    sharing?: Sharing,
  ): McpConnectionPool | Promise<McpConnectionPool> {
    const identity = options?.identity;
    if (typeof identity !== "function") return this.pool(identity, sharing);
    const { signal, timeoutMs = this.#options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS } = options ?? {};
    const { clock } = this.#environment;
    const terms = { option: "identity", serverName: this.name, signal, timeoutMs, clock };
    return resolveWithin(identity, terms).then((own) => this.pool(own, sharing));
  }

  /** Puts a new definition in force; connections stay open unless what they are made of has changed. */
  reconfigure(definition: McpServerDefinition, options: McpConnectionManagerOptions): void {
    const old = this.#definition;
    const isSame =
      definition.connectionKey === undefined
        ? definition.connector === old.connector
        : definition.connectionKey === old.connectionKey;
    const connector = isSame ? undefined : definition.connector;
    this.#definition = isSame ? { ...definition, connector: old.connector } : definition;
    this.#options = poolOptionsOf(definition, options);
    this.#state.limit.max = definition.maxConcurrentRequests ?? Infinity;
    const { priority = 0 } = definition;
    const minimum = definition.identityRequired ? { minConnections: 0 } : {};
    this.main.reconfigure({ ...this.#options, ...minimum }, connector, priority);
    for (const [key, { pool }] of this.#derived) {
      const [sharing] = JSON.parse(key) as [Sharing];
      pool.reconfigure(this.#derivedOptions(sharing), connector, priority);
    }
  }

  /** Whether the new definition asks for what open pools cannot become. */
  needsReplacing(definition: McpServerDefinition, options: McpConnectionManagerOptions): boolean {
    const { sharing = "shared" } = poolOptionsOf(definition, options);
    if (definition.pluginKey !== this.#definition.pluginKey) return true;
    return sharing !== this.#sharing || isIdentityRequired(definition) !== isIdentityRequired(this.#definition);
  }

  /** Closes the pools of identities that nobody has asked for since a time of the clock, and that have nothing left to do. */
  sweep(since: number): void {
    for (const [key, { pool, isActive, usedAt }] of this.#derived) {
      if (usedAt > since || pool.stats().connections.total > 0 || isBusy(pool) || isActive()) continue;
      this.#derived.delete(key);
      void pool.close();
    }
  }

  /** The pools are kept in the order of their use, to a second: a call should not pay for more. */
  #use(key: string, derived: DerivedPool): void {
    const now = this.#environment.clock.now();
    if (now - derived.usedAt >= ORDER_MS) {
      this.#derived.delete(key);
      this.#derived.set(key, derived);
    }
    derived.usedAt = now;
  }

  /** At the bound, the pool that was used longest ago and has nothing to do makes room, and its idle connections close. */
  #makeRoom(): void {
    const { maxIdentities = DEFAULT_MAX_IDENTITIES } = this.#definition;
    if (this.#derived.size < maxIdentities) return;
    for (const [key, { pool, isActive }] of this.#derived) {
      if (isBusy(pool) || isActive()) continue;
      this.#derived.delete(key);
      void pool.close();
      return;
    }
    const message = `MCP server "${this.name}" serves ${this.#derived.size} identities at one time already, the most that maxIdentities allows`;
    throw new McpPoolExhaustedError(message, { serverName: this.name });
  }

  async close(drainTimeoutMs: number | undefined): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.pools()].map((pool) => pool.close({ drainTimeoutMs })));
  }

  get #sharing(): Sharing {
    return this.#options.sharing ?? "shared";
  }

  /** Pools of identities, and those beside the server's own mode, keep nothing open that nobody uses. */
  #derivedOptions(sharing: Sharing): PoolOptions {
    return { ...this.#options, sharing, minConnections: 0 };
  }

  #derive(sharing: Sharing, identity: string | undefined): DerivedPool {
    let isActive = () => false;
    const poolName = `${this.name}#${++this.#poolCount}`;
    const pool = this.#create(this.#derivedOptions(sharing), poolName, identity, (own) => {
      isActive = own;
    });
    return { pool, isActive, usedAt: this.#environment.clock.now() };
  }

  #create(
    options: PoolOptions,
    poolName: string,
    identity: string | undefined,
    onActivity?: PoolEnvironment["onActivity"],
  ): McpConnectionPool {
    const { clock, wheel, capacity } = this.#environment;
    const isRefused = identity === undefined && this.#definition.identityRequired === true;
    const plugins = isRefused ? [this.#identityRequired(), ...this.#plugins] : this.#plugins;
    let claimant: CapacityClaimant | undefined;
    const pool = new McpConnectionPool(this.#definition.connector, { ...options, name: this.name }, plugins, {
      clock,
      wheel,
      capacity,
      poolName,
      identity,
      server: this.#state,
      priority: this.#definition.priority,
      onActivity,
      onClaimant: (each) => {
        claimant = each;
      },
    });
    if (claimant !== undefined) this.#environment.onPool(pool, claimant);
    return pool;
  }

  /** Refuses whoever reaches the pool without an identity by another way. */
  #identityRequired(): PoolPlugin {
    const refusal = () => this.#invalid("identity", "is required by this server, and none was given");
    return {
      name: "identity-required",
      install: () => ({
        admit: refusal,
        connect: () => () => Promise.reject(refusal()),
        request: () => () => Promise.reject(refusal()),
      }),
    };
  }

  #invalid(path: string, message: string): McpValidationError {
    return new McpValidationError(`invalid option of a call to MCP server "${this.name}": ${path} ${message}`, {
      serverName: this.name,
      issues: [{ path, message }],
    });
  }
}

/** Whether a pool has work under way, or opens something for it. */
function isBusy(pool: McpConnectionPool): boolean {
  const { connections, waiting, leases } = pool.stats();
  return connections.active > 0 || connections.connecting > 0 || waiting > 0 || leases > 0;
}

function isIdentityRequired({ identityRequired = false }: McpServerDefinition): boolean {
  return identityRequired;
}
