import type { Clock } from "./clock.ts";
import type { Connector } from "./connector.ts";
import { type Issue, McpConfigurationError } from "./errors.ts";
import { type PoolOptions, resolvePoolOptions } from "./options.ts";
import type { PoolPlugin } from "./plugin.ts";

/** One server of a manager. */
export interface McpServerDefinition {
  /** Opens the connections. */
  readonly connector: Connector;
  /** Says what a connection is made of: a reload with the same key keeps the open ones. @default the connector itself */
  readonly connectionKey?: string | undefined;
  /** Overrides the manager's pool options. */
  readonly pool?: PoolOptions | undefined;
  /** Higher wins below the global cap. @default 0 */
  readonly priority?: number | undefined;
  /** Selects servers, as in `manager.servers({ tag })`. */
  readonly tags?: readonly string[] | undefined;
  /** Leases and requests in flight on the server, over all its connections. @default unlimited */
  readonly maxConcurrentRequests?: number | undefined;
  /** Time for a whole request in milliseconds; goes before the pool's. */
  readonly requestTimeoutMs?: number | undefined;
  /** Whether calls without an identity are refused. @default false */
  readonly identityRequired?: boolean | undefined;
}

/** Settings over all servers. */
export interface McpManagerSettings {
  /** Connections of all pools together, open, opening or closing. @default 100 */
  readonly maxTotalConnections?: number | undefined;
  /** How often idle connections and the pools of idle identities are looked at, where a pool does not say. In milliseconds. @default 300_000, and 60_000 for a pool's connections */
  readonly cleanupIntervalMs?: number | undefined;
}

/** What a manager is made of. */
export interface McpConnectionManagerOptions {
  readonly servers?: Readonly<Record<string, McpServerDefinition>> | undefined;
  /** Pool options of every server. */
  readonly pool?: PoolOptions | undefined;
  readonly settings?: McpManagerSettings | undefined;
  /** Extend every pool, or each server's pools their own way. */
  readonly plugins?: readonly PoolPlugin[] | ((serverName: string) => readonly PoolPlugin[]) | undefined;
  /** @default the machine's own clock */
  readonly clock?: Clock | undefined;
}

/**
 * Checks what a manager is made of.
 * @throws {McpConfigurationError} which lists every problem
 */
export function checkManagerOptions(options: McpConnectionManagerOptions): void {
  const issues: Issue[] = [];
  const { servers = {}, settings = {}, pool } = options;
  collect(issues, () => resolvePoolOptions(pool, "pool"));
  checkNumber(issues, "settings.maxTotalConnections", settings.maxTotalConnections, 1);
  checkNumber(issues, "settings.cleanupIntervalMs", settings.cleanupIntervalMs, 1);
  for (const [name, definition] of Object.entries(servers))
    collect(issues, () => checkServer(name, definition, options));
  if (issues.length > 0) throw new McpConfigurationError(issues);
}

/**
 * Checks one server of a manager.
 * @throws {McpConfigurationError} which lists every problem
 */
export function checkServer(name: string, definition: McpServerDefinition, options: McpConnectionManagerOptions): void {
  const issues: Issue[] = [];
  const path = `servers.${name}`;
  if (name === "") issues.push({ path: "servers", message: "a server's name must not be empty" });
  if (typeof definition?.connector?.connect !== "function") {
    throw new McpConfigurationError([...issues, { path: `${path}.connector`, message: "must be a connector" }]);
  }
  checkNumber(issues, `${path}.maxConcurrentRequests`, definition.maxConcurrentRequests, 1);
  checkNumber(issues, `${path}.priority`, definition.priority, -Infinity);
  checkNumber(issues, `${path}.requestTimeoutMs`, definition.requestTimeoutMs, 1);
  collect(issues, () => resolvePoolOptions(poolOptionsOf(definition, options), `${path}.pool`));
  if (issues.length > 0) throw new McpConfigurationError(issues);
}

/** Puts a server's pool options together: the manager's, then the server's own. */
export function poolOptionsOf(definition: McpServerDefinition, options: McpConnectionManagerOptions): PoolOptions {
  const { cleanupIntervalMs } = options.settings ?? {};
  const { requestTimeoutMs, pool } = definition;
  return {
    ...defined({ cleanupIntervalMs }),
    ...defined(options.pool),
    ...defined({ requestTimeoutMs }),
    ...defined(pool),
  };
}

function defined(options: PoolOptions = {}): PoolOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function checkNumber(issues: Issue[], path: string, value: unknown, least: number): void {
  if (value === undefined) return;
  if (typeof value !== "number" || Number.isNaN(value) || value < least) {
    const bound = least === -Infinity ? "" : ` of at least ${least}`;
    issues.push({ path, message: `must be a number${bound}, not ${String(value)}` });
  }
}

function collect(issues: Issue[], check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof McpConfigurationError)) throw error;
    issues.push(...error.issues);
  }
}
