import type { McpClient } from "./client.ts";
import { type ClientHandlers, HANDLER_KINDS, type HandlerKind, handlersProblem } from "./client-handlers.ts";
import type { Progress } from "./connector.ts";
import { type Issue, McpConfigurationError } from "./errors.ts";
import type { Resolvable } from "./resolvable.ts";

/**
 * How a connection is lent.
 *
 * - `shared`: up to `maxRequestsPerConnection` requests in flight on one connection
 * - `exclusive`: one lease holder at a time, for servers that keep conversational state
 */
export type Sharing = "shared" | "exclusive";

/** What happens to an exclusive connection when its lease is released. A function brings it back to a clean state. */
export type OnRelease = "reuse" | "close" | ((client: McpClient) => Promise<void> | void);

/** Settings of one pool. Times are in milliseconds. */
export interface PoolOptions {
  /** Connections kept open once the pool is in use. @default the smaller of 2 and `maxConnections` */
  readonly minConnections?: number | undefined;
  /** Connections open, opening or closing at one time. @default 10 */
  readonly maxConnections?: number | undefined;
  /** How long a connection may stay without work before it is closed. @default 300_000 */
  readonly maxIdleTimeMs?: number | undefined;
  /** Longest life of a connection, less up to 2.5 % jitter; then it drains and closes. @default 3_600_000 */
  readonly maxLifetimeMs?: number | undefined;
  /** Leases and requests after which a connection is replaced. @default unlimited */
  readonly maxUses?: number | undefined;
  /** Time to open one connection. @default 30_000 */
  readonly connectionTimeoutMs?: number | undefined;
  /** Time a caller waits while all room is taken. @default 10_000 */
  readonly acquireTimeoutMs?: number | undefined;
  /** Time for a whole request: waiting, all attempts and back-offs. @default 60_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Time for one attempt, from sending to the answer. @default what is left of the whole request's time */
  readonly attemptTimeoutMs?: number | undefined;
  /** Callers that may wait at one time. @default 1_000 */
  readonly maxWaiting?: number | undefined;
  /** Requests in flight on one shared connection. @default what the connector suggests */
  readonly maxRequestsPerConnection?: number | undefined;
  /** @default "shared" */
  readonly sharing?: Sharing | undefined;
  /** What to do with an exclusive connection at release. @default "reuse" */
  readonly onRelease?: OnRelease | undefined;
  /** Whether an idle connection that was quiet for 500 ms is probed before it is lent. @default true */
  readonly validateOnAcquire?: boolean | undefined;
  /** How often idle connections are looked at. @default 60_000 */
  readonly cleanupIntervalMs?: number | undefined;
  /** Time after which a lease that is still held is reported, with the stack that acquired it. @default off */
  readonly leakThresholdMs?: number | undefined;
  /** How long a list of tools is served from the cache. @default 300_000 */
  readonly toolListTtlMs?: number | undefined;
  /** Settings of single tools, by name. */
  readonly tools?: Readonly<Record<string, ToolOptions>> | undefined;
  /** Whether the server's `readOnlyHint` and `idempotentHint` say truly what may run twice. @default false */
  readonly trustAnnotations?: boolean | undefined;
  /** Answer what the server asks of its client; the server is told of the features there are handlers for. @default none */
  readonly handlers?: ClientHandlers | undefined;
  /**
   * Kinds that leases or calls may bring handlers for, so that the server is told of these features too. Needed up to
   * protocol revision 2025-11-25 only; a manager adds what its callers bring by itself. @default none
   */
  readonly leaseHandlers?: readonly HandlerKind[] | undefined;
}

/** Settings of one tool. */
export interface ToolOptions {
  /** Whether a second run does no harm, whatever the server says of the tool. */
  readonly idempotent?: boolean | undefined;
  /** Time for a whole call in milliseconds, in place of `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Calls in flight at one time; those beyond it wait in line. @default unlimited */
  readonly maxConcurrent?: number | undefined;
}

/** {@link PoolOptions} with every default filled in. */
export interface ResolvedPoolOptions {
  readonly minConnections: number;
  readonly maxConnections: number;
  readonly maxIdleTimeMs: number;
  readonly maxLifetimeMs: number;
  readonly maxUses: number;
  readonly connectionTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly maxWaiting: number;
  readonly maxRequestsPerConnection: number | undefined;
  readonly sharing: Sharing;
  readonly onRelease: OnRelease;
  readonly validateOnAcquire: boolean;
  readonly cleanupIntervalMs: number;
  readonly leakThresholdMs: number | undefined;
  readonly toolListTtlMs: number;
  readonly tools: ReadonlyMap<string, ToolOptions> | undefined;
  readonly trustAnnotations: boolean;
  readonly handlers: ClientHandlers | undefined;
  readonly leaseHandlers: readonly HandlerKind[];
}

/** HTTP headers by name. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Options of one request. */
export interface RequestOptions {
  /** Ends the request; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the whole request in milliseconds. @default the pool's `requestTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** On whose behalf the request is made, or a function that finds that out; each identity has its own connections. No secret. */
  readonly identity?: Resolvable<string | undefined> | undefined;
  /** Extra HTTP headers of this request, or a function that supplies them; ignored where the transport has none. */
  readonly headers?: Resolvable<RequestHeaders> | undefined;
  /** Merged into the request's `_meta`. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Whether each progress report gives the request its `timeoutMs`, and its attempt its time, anew. @default false */
  readonly resetTimeoutOnProgress?: boolean | undefined;
  /** The most that progress stretches the whole request to, in milliseconds. @default 3_600_000 */
  readonly maxTotalTimeoutMs?: number | undefined;
  /**
   * Answer what the server asks of its client for this request, before those of the lease and of the pool. Up to protocol
   * revision 2025-11-25 that takes a connection which the request has to itself: an exclusive one.
   */
  readonly handlers?: ClientHandlers | undefined;
  /** Declares that running the request twice does no harm. */
  readonly idempotent?: boolean | undefined;
}

/** Options of one acquire. */
export interface AcquireOptions {
  /** `exclusive` may be asked of a shared server, never the reverse. @default the server's mode */
  readonly sharing?: Sharing | undefined;
  /** Binds the key to one connection until that has been idle for `maxIdleTimeMs`; exclusive only. */
  readonly stickyKey?: string | undefined;
  /**
   * Answer what the server asks of its client while the lease is held, before those of the pool. Up to protocol revision
   * 2025-11-25 that takes an exclusive lease, since the server cannot say which lease it asks.
   */
  readonly handlers?: ClientHandlers | undefined;
  /** On whose behalf the connection is used, or a function that finds that out. No secret. */
  readonly identity?: Resolvable<string | undefined> | undefined;
  /** Ends the wait; the acquire rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the whole wait in milliseconds, in place of `acquireTimeoutMs` and `connectionTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Checks pool options and fills in the defaults.
 * @param path where the options stand, for the messages
 * @throws {McpConfigurationError} which lists every problem
 */
export function resolvePoolOptions(options: PoolOptions = {}, path = ""): ResolvedPoolOptions {
  const issues: Issue[] = [];
  const report = (name: string, message: string) =>
    issues.push({ path: path === "" ? name : `${path}.${name}`, message });

  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) report(name, "is no option of a pool");
  }
  for (const name of [...COUNTS, ...TIMES]) {
    const value: unknown = options[name];
    if (value === undefined) continue;
    const least = name === "minConnections" ? 0 : 1;
    const whole = (COUNTS as readonly string[]).includes(name);
    if (typeof value !== "number" || Number.isNaN(value)) report(name, `must be a number, not ${describe(value)}`);
    else if (value < least) report(name, `must be at least ${least}${whole ? "" : " ms"}, not ${value}`);
    else if (whole && value !== Infinity && !Number.isInteger(value))
      report(name, `must be a whole number, not ${value}`);
    else if (value === Infinity && name.endsWith("Connections")) report(name, "must be finite");
  }
  const { sharing = "shared", onRelease = "reuse", validateOnAcquire = true, maxConnections = 10 } = options;
  const { minConnections = Math.min(2, maxConnections), requestTimeoutMs = 60_000 } = options;
  if (sharing !== "shared" && sharing !== "exclusive") {
    report("sharing", `must be "shared" or "exclusive", not ${describe(sharing)}`);
  }
  if (onRelease !== "reuse" && onRelease !== "close" && typeof onRelease !== "function") {
    report("onRelease", `must be "reuse", "close" or a function, not ${describe(onRelease)}`);
  }
  if (typeof validateOnAcquire !== "boolean") {
    report("validateOnAcquire", `must be true or false, not ${describe(validateOnAcquire)}`);
  }
  const { tools, trustAnnotations = false } = options;
  if (typeof trustAnnotations !== "boolean") {
    report("trustAnnotations", `must be true or false, not ${describe(trustAnnotations)}`);
  }
  if (tools !== undefined) checkTools(tools, report);
  const { handlers, leaseHandlers = NONE } = options;
  const problem = handlers === undefined ? undefined : handlersProblem(handlers);
  if (problem !== undefined) report("handlers", problem);
  if (!Array.isArray(leaseHandlers) || leaseHandlers.some((kind) => !HANDLER_KINDS.includes(kind))) {
    report("leaseHandlers", `must be a list of ${HANDLER_KINDS.join(", ")}`);
  }
  if (issues.length === 0 && minConnections > maxConnections) {
    report("minConnections", `must not be above maxConnections (${minConnections} > ${maxConnections})`);
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);

  return shared({
    // What each request looks at comes first, and so lies in one place of the memory.
    requestTimeoutMs,
    attemptTimeoutMs: options.attemptTimeoutMs ?? Infinity,
    maxUses: options.maxUses ?? Infinity,
    validateOnAcquire,
    sharing,
    onRelease,
    tools: tools === undefined ? undefined : new Map(Object.entries(tools)),
    minConnections,
    maxConnections,
    maxIdleTimeMs: options.maxIdleTimeMs ?? 300_000,
    maxLifetimeMs: options.maxLifetimeMs ?? 3_600_000,
    connectionTimeoutMs: options.connectionTimeoutMs ?? 30_000,
    acquireTimeoutMs: options.acquireTimeoutMs ?? 10_000,
    maxWaiting: options.maxWaiting ?? 1_000,
    maxRequestsPerConnection: options.maxRequestsPerConnection,
    cleanupIntervalMs: options.cleanupIntervalMs ?? 60_000,
    leakThresholdMs: options.leakThresholdMs,
    toolListTtlMs: options.toolListTtlMs ?? 300_000,
    trustAnnotations,
    handlers,
    leaseHandlers,
  });
}

let latest: WeakRef<ResolvedPoolOptions> | undefined;

/** Pools with equal options share one object, so that those of a manager, which mostly are equal, have one place to look at. */
function shared(options: ResolvedPoolOptions): ResolvedPoolOptions {
  const known = latest?.deref();
  const names = Object.keys(options) as (keyof ResolvedPoolOptions)[];
  if (known !== undefined && names.every((name) => Object.is(known[name], options[name]))) return known;
  latest = new WeakRef(Object.freeze(options));
  return options;
}

const NONE: readonly HandlerKind[] = Object.freeze([]);

const COUNTS = ["minConnections", "maxConnections", "maxUses", "maxWaiting", "maxRequestsPerConnection"] as const;
const TIMES = [
  "maxIdleTimeMs",
  "maxLifetimeMs",
  "connectionTimeoutMs",
  "acquireTimeoutMs",
  "requestTimeoutMs",
  "attemptTimeoutMs",
  "cleanupIntervalMs",
  "leakThresholdMs",
  "toolListTtlMs",
] as const;
const KNOWN: ReadonlySet<string> = new Set([
  ...COUNTS,
  ...TIMES,
  "sharing",
  "onRelease",
  "validateOnAcquire",
  "tools",
  "trustAnnotations",
  "handlers",
  "leaseHandlers",
]);

function checkTools(tools: unknown, report: (name: string, message: string) => void): void {
  if (typeof tools !== "object" || tools === null || Array.isArray(tools)) {
    report("tools", "must be an object with the names of tools as keys");
    return;
  }
  for (const [name, settings] of Object.entries(tools)) {
    if (typeof settings !== "object" || settings === null) {
      report(`tools.${name}`, "must be an object");
      continue;
    }
    for (const [key, value] of Object.entries(settings)) {
      const path = `tools.${name}.${key}`;
      if (value === undefined) continue;
      if (key === "idempotent") {
        if (typeof value !== "boolean") report(path, `must be true or false, not ${describe(value)}`);
      } else if (key === "timeoutMs") {
        if (!(typeof value === "number" && value >= 1)) report(path, `must be at least 1 ms, not ${describe(value)}`);
      } else if (key === "maxConcurrent") {
        const isCount = value === Infinity || (Number.isInteger(value) && Number(value) >= 1);
        if (!isCount) report(path, `must be a whole number of at least 1, not ${describe(value)}`);
      } else report(path, "is no setting of a tool; there are idempotent, timeoutMs, maxConcurrent");
    }
  }
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
