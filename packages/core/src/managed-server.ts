import { CALLED_AT, type CallTime } from "./call-time.ts";
import type { CapacityClaimant } from "./capacity.ts";
import type { Requester } from "./client.ts";
import { type ClientHandlers, type HandlerKind, handlersProblem, kindsOf } from "./client-handlers.ts";
import type { Clock } from "./clock.ts";
import type { Capacity } from "./context.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { type DerivedPool, DerivedPools } from "./derived-pools.ts";
import { McpPoolClosedError } from "./errors.ts";
import { identityMissing, identityRequired } from "./identity-required.ts";
import { LoggingLevels } from "./logging-levels.ts";
import { type McpConnectionManagerOptions, type McpServerDefinition, poolOptionsOf } from "./manager-options.ts";
import type { AcquireOptions, PoolOptions, Sharing } from "./options.ts";
import type { PoolPlugin } from "./plugin.ts";
import { McpConnectionPool } from "./pool.ts";
import { createServerState, type PoolEnvironment } from "./pool-environment.ts";
import { targetOf } from "./request-errors.ts";
import { invalid, optionsError } from "./request-options.ts";
import type { RefusedCall } from "./request-records.ts";
import { resolveWithin } from "./resolvable.ts";
import type { ServerState } from "./server-state.ts";
import { checkLevel, type LoggingLevel } from "./session-logging.ts";

/** Time for a function that supplies an identity, where nothing says how long a call may take, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_IDENTITIES = 1_000;

/** What the servers of a manager share. */
export interface ManagedServerEnvironment {
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly capacity: Capacity;
  /** Takes note of a new pool, and of its part in the global cap. */
  onPool(pool: McpConnectionPool, claimant: CapacityClaimant): void;
}

/** What a call or an acquire says of the pool it wants. */
export type PoolChoice = Pick<AcquireOptions, "identity" | "sharing" | "handlers" | "signal" | "timeoutMs">;

/** The request that a call makes, if it makes one. */
export type AskedFor = Partial<Pick<RefusedCall, "method" | "params">>;

/** One server of a manager, with a pool for each identity and each way of sharing. */
export class ManagedServer {
  readonly name: string;
  /** The pool without an identity; it is there from the start. */
  readonly main: McpConnectionPool;
  #requester: Requester | undefined;
  readonly #environment: ManagedServerEnvironment;
  readonly #state: ServerState;
  readonly #derived: DerivedPools;
  readonly #plugins: readonly PoolPlugin[];
  readonly #levels = new LoggingLevels();
  /** Counts and tells of a call that gets no pool. */
  #refused: (call: RefusedCall) => void = () => {};
  #definition: McpServerDefinition;
  #options: PoolOptions;
  #poolCount = 1;
  #isClosed = false;

  constructor(
    name: string,
    definition: McpServerDefinition,
    options: McpConnectionManagerOptions,
    environment: ManagedServerEnvironment,
  ) {
    this.name = name;
    this.#definition = definition;
    this.#environment = environment;
    this.#derived = new DerivedPools(name, environment.clock);
    this.#options = poolOptionsOf(definition, options);
    const shared = typeof options.plugins === "function" ? options.plugins(name) : (options.plugins ?? []);
    this.#plugins = [...shared, ...(definition.plugins ?? [])];
    const { maxConcurrentRequests = Infinity } = definition;
    this.#state = createServerState(environment.clock, definition.connector, maxConcurrentRequests);
    this.main = this.#create(this.#mainOptions, name, undefined, {
      onRefusals: (refused) => {
        this.#refused = refused;
      },
      onRequester: (requester) => {
        this.#requester = requester;
      },
    });
  }

  get definition(): McpServerDefinition {
    return this.#definition;
  }

  /** What sends calls without options, if they go to the main pool and have no fallback. */
  get plain(): Requester | undefined {
    return isPlain(this.#definition) ? this.#requester : undefined;
  }

  *pools(): IterableIterator<McpConnectionPool> {
    yield this.main;
    for (const [, { pool }] of this.#derived.entries()) yield pool;
  }

  /**
   * Returns the pool for an identity and a way of sharing, and makes it when it is asked for first. For handlers of a lease
   * or a call, of kinds that an exclusive server is not told of, that is a pool of its own: servers are told once.
   * @throws {McpValidationError} when an identity is missing, or shared use is asked of an exclusive server
   * @throws {McpPoolClosedError} when it would have to be made after the close
   */
  pool(identity?: string, sharing: Sharing = this.#sharing, handlers?: ClientHandlers): McpConnectionPool {
    if (identity !== undefined && (typeof identity !== "string" || identity === "")) {
      throw invalid("identity", "must be a string that is not empty", this.name);
    }
    if (identity === undefined && this.#definition.identityRequired) throw identityMissing(this.name);
    const kinds = sharing === "exclusive" ? this.#untold(handlers) : [];
    if (sharing === this.#sharing && identity === undefined && kinds.length === 0) return this.main;
    if (sharing !== "exclusive" && sharing !== "shared") {
      throw invalid("sharing", `must be "shared" or "exclusive", not ${JSON.stringify(sharing)}`, this.name);
    }
    if (sharing === "shared" && this.#sharing === "exclusive") {
      throw invalid("sharing", "cannot be shared on a server that is declared exclusive", this.name);
    }
    const key = JSON.stringify([sharing, identity, kinds]);
    const known = this.#derived.use(key);
    if (known !== undefined) return known;
    if (this.#isClosed) {
      throw new McpPoolClosedError(`MCP server "${this.name}" is closed`, { serverName: this.name });
    }
    this.#derived.makeRoom(this.#definition.maxIdentities ?? DEFAULT_MAX_IDENTITIES);
    const derived = this.#derive(sharing, identity, kinds);
    this.#derived.add(key, derived);
    return derived.pool;
  }

  /**
   * Does a piece of work with the pool for it; nobody waits for what is there. The time of the call begins here, so that it
   * covers a function that supplies the identity. A call that gets no pool is told of by the server's own one.
   * @param request what the call will ask of the server, where that is one request
   */
  run<T, Options extends PoolChoice>(
    options: Options | undefined,
    work: (pool: McpConnectionPool, options: Options | undefined) => Promise<T>,
    request: AskedFor = {},
  ): Promise<T> {
    const identity = options?.identity;
    if (typeof identity !== "function") return work(this.#choose(identity, options, request), options);
    const { clock } = this.#environment;
    const timed = { ...options, [CALLED_AT]: clock.now() } as Options & CallTime;
    const found = this.#resolve(identity, timed, request).catch((error: unknown) => {
      this.#refused({ method: request.method, params: request.params, options: timed, error });
      throw error;
    });
    return found.then((own) => work(this.#choose(own, timed, request), timed));
  }

  /**
   * Sets the logging level of an identity, on all its pools and on those to come.
   * @throws {McpValidationError} for what is no level; or the first refusal of a server, which changes nothing for others
   */
  async setLoggingLevel(identity: string | undefined, level: LoggingLevel): Promise<void> {
    checkLevel(level, this.name);
    this.#levels.set(identity, level);
    const pools = [...this.pools()].filter((pool) => pool.identity === identity);
    await Promise.all(pools.map((pool) => pool.setLoggingLevel(level)));
  }

  /** Tells the server of changed roots, on connections of one identity or of all; without `isAsked`, only if it expects that. */
  async sendRootsListChanged(identity: string | undefined, isAsked: boolean): Promise<void> {
    const expecting = [...this.pools()].filter((pool) => pool.announcesRootsChanges);
    if (expecting.length === 0 && isAsked) return this.main.sendRootsListChanged();
    const pools = expecting.filter((pool) => identity === undefined || pool.identity === identity);
    await Promise.all(pools.map((pool) => pool.sendRootsListChanged()));
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
    this.main.reconfigure(this.#mainOptions, connector, priority);
    for (const [key, { pool }] of this.#derived.entries()) {
      const [sharing, , kinds] = JSON.parse(key) as [Sharing, unknown, HandlerKind[]];
      pool.reconfigure(this.#derivedOptions(sharing, kinds), connector, priority);
    }
  }

  /** Whether the new definition asks for what open pools cannot become. */
  needsReplacing(definition: McpServerDefinition, options: McpConnectionManagerOptions): boolean {
    const { sharing = "shared" } = poolOptionsOf(definition, options);
    if (definition.pluginKey !== this.#definition.pluginKey) return true;
    const { identityRequired = false } = this.#definition;
    return sharing !== this.#sharing || (definition.identityRequired ?? false) !== identityRequired;
  }

  /** Closes the pools of identities that nobody has asked for since a time of the clock, and that have nothing left to do. */
  sweep(since: number): void {
    this.#derived.sweep(since);
  }

  async close(drainTimeoutMs: number | undefined): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.pools()].map((pool) => pool.close({ drainTimeoutMs })));
  }

  #choose(identity: string | undefined, options: PoolChoice | undefined, request: AskedFor): McpConnectionPool {
    try {
      return this.pool(identity, options?.sharing, options?.handlers);
    } catch (error) {
      this.#refused({ method: request.method, params: request.params, options, error });
      throw error;
    }
  }

  async #resolve(
    identity: () => string | undefined | PromiseLike<string | undefined>,
    options: PoolChoice & CallTime,
    { method, params }: AskedFor,
  ): Promise<string | undefined> {
    const problem = optionsError(options, this.name);
    if (problem !== undefined) throw problem;
    const { tools, requestTimeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const tool = method === "tools/call" ? targetOf({ params }) : undefined;
    const ofTool = tool === undefined ? undefined : tools?.[tool]?.timeoutMs;
    const { clock } = this.#environment;
    const { signal, timeoutMs = ofTool ?? requestTimeoutMs, [CALLED_AT]: startedAt = clock.now() } = options;
    return resolveWithin(identity, { option: "identity", serverName: this.name, signal, timeoutMs, startedAt, clock });
  }

  get #sharing(): Sharing {
    return this.#options.sharing ?? "shared";
  }

  /** Where each caller needs an identity, the pool without one keeps nothing open. */
  get #mainOptions(): PoolOptions {
    return this.#definition.identityRequired ? { ...this.#options, minConnections: 0 } : this.#options;
  }

  /** Pools of identities, and those beside the server's own mode, keep nothing open that nobody uses. */
  #derivedOptions(sharing: Sharing, kinds: readonly HandlerKind[]): PoolOptions {
    const leaseHandlers = [...(this.#options.leaseHandlers ?? []), ...kinds];
    return { ...this.#options, sharing, minConnections: 0, leaseHandlers };
  }

  /** Kinds among given handlers that the server's connections do not announce. */
  #untold(handlers: ClientHandlers | undefined): readonly HandlerKind[] {
    // The pool itself says what is wrong with them.
    if (handlers === undefined || handlersProblem(handlers) !== undefined) return [];
    const { handlers: own, leaseHandlers = [] } = this.#options;
    return kindsOf(handlers).filter((kind) => own?.[kind] === undefined && !leaseHandlers.includes(kind));
  }

  #derive(sharing: Sharing, identity: string | undefined, kinds: readonly HandlerKind[]): DerivedPool {
    let isActive = () => false;
    const poolName = `${this.name}#${++this.#poolCount}`;
    const pool = this.#create(this.#derivedOptions(sharing, kinds), poolName, identity, {
      onActivity: (own) => {
        isActive = own;
      },
    });
    const now = this.#environment.clock.now();
    return { pool, isActive, usedAt: now, placedAt: now };
  }

  #create(
    options: PoolOptions,
    poolName: string,
    identity: string | undefined,
    { onActivity, onRefusals, onRequester }: Pick<PoolEnvironment, "onActivity" | "onRefusals" | "onRequester">,
  ): McpConnectionPool {
    const { clock, wheel, capacity } = this.#environment;
    const isRefused = identity === undefined && this.#definition.identityRequired === true;
    const plugins = isRefused ? [identityRequired(this.name), ...this.#plugins] : this.#plugins;
    let claimant: CapacityClaimant | undefined;
    const pool = new McpConnectionPool(this.#definition.connector, { ...options, name: this.name }, plugins, {
      clock,
      wheel,
      capacity,
      poolName,
      identity,
      server: this.#state,
      priority: this.#definition.priority,
      loggingLevel: this.#levels.of(identity),
      onActivity,
      onRefusals,
      onRequester,
      onClaimant: (each) => {
        claimant = each;
      },
    });
    if (claimant !== undefined) this.#environment.onPool(pool, claimant);
    return pool;
  }
}

function isPlain({ identityRequired = false, onCircuitOpen }: McpServerDefinition): boolean {
  return !identityRequired && onCircuitOpen === undefined;
}
