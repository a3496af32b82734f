import type { CircuitFallback } from "./circuit-fallback.ts";
import type { Clock } from "./clock.ts";
import type { Connector } from "./connector.ts";
import { type Issue, McpConfigurationError } from "./errors.ts";
import { type PoolOptions, resolvePoolOptions, type ToolOptions } from "./options.ts";
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
  /** Time for a whole request in milliseconds; goes before the manager's pool options, not before the server's own. */
  readonly requestTimeoutMs?: number | undefined;
  /** Whether calls without an identity are refused. @default false */
  readonly identityRequired?: boolean | undefined;
  /** Pools for identities, and beside the server's own mode, at one time; beyond it the one unused for longest is closed. @default 1_000 */
  readonly maxIdentities?: number | undefined;
  /** Settings of single tools, by name. */
  readonly tools?: Readonly<Record<string, ToolOptions>> | undefined;
  /** Whether the server's `readOnlyHint` and `idempotentHint` say truly what may run twice. @default false */
  readonly trustAnnotations?: boolean | undefined;
  /** What happens to calls that the server's circuit breaker refuses. @default they fail */
  readonly onCircuitOpen?: CircuitFallback | undefined;
  /** Extend the server's pools, inside the manager's plugins. */
  readonly plugins?: readonly PoolPlugin[] | undefined;
  /** Says what the plugins are made of: a reload with another key makes the server's pools anew. */
  readonly pluginKey?: string | undefined;
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

/** What `manager.close()` takes. */
export interface ManagerCloseOptions {
  /** Time for work under way to end, in milliseconds. @default 10_000 */
  readonly drainTimeoutMs?: number | undefined;
  /** Closes and removes only the servers with this tag. */
  readonly tag?: string | undefined;
}

/** Where a server's settings stand, for the messages. */
export type ServerPath = (serverName: string) => string;

export const SERVER_PATH: ServerPath = (serverName) => `servers.${serverName}`;

/** Lists what is wrong with what a manager is made of; a problem of all servers is told once. */
export function managerIssues(options: McpConnectionManagerOptions, serverPath: ServerPath): readonly Issue[] {
  const { servers = {}, settings = {}, pool } = options;
  const shapes = Object.entries({ servers, settings }).filter(([, value]) => !isRecord(value));
  if (shapes.length > 0) return shapes.map(([path]) => ({ path, message: "must be an object" }));
  const sharedIssues = [
    ...checkPool("pool", pool, pool),
    ...checkNumber("settings.cleanupIntervalMs", settings.cleanupIntervalMs, 1),
  ];
  const shared = sharedIssues.length === 0 ? options : {};
  return [
    ...sharedIssues,
    ...unknownKeys(settings, SETTINGS, "settings"),
    ...checkCount("settings.maxTotalConnections", settings.maxTotalConnections),
    ...Object.entries(servers).flatMap(([name, definition]) => serverIssues(name, definition, shared, serverPath)),
  ];
}

/** Lists what is wrong with one server of a manager. */
export function serverIssues(
  name: string,
  definition: McpServerDefinition,
  options: McpConnectionManagerOptions,
  serverPath: ServerPath,
): readonly Issue[] {
  const path = serverPath(name);
  const issues = name === "" ? [{ path, message: "a server's name must not be empty" }] : [];
  if (typeof definition?.connector?.connect !== "function") {
    return [...issues, { path: `${path}.connector`, message: "must be a connector" }];
  }
  const { maxConcurrentRequests, priority, requestTimeoutMs, tags, identityRequired, onCircuitOpen } = definition;
  const timeoutIssues = checkNumber(`${path}.requestTimeoutMs`, requestTimeoutMs, 1);
  const checkable = timeoutIssues.length === 0 ? definition : { ...definition, requestTimeoutMs: undefined };
  return [
    ...issues,
    ...unknownKeys(definition, SERVER_KEYS, path),
    ...checkCount(`${path}.maxConcurrentRequests`, maxConcurrentRequests),
    ...checkCount(`${path}.maxIdentities`, definition.maxIdentities),
    ...checkNumber(`${path}.priority`, priority, -Number.MAX_VALUE, Number.MAX_VALUE),
    ...timeoutIssues,
    ...check(`${path}.tags`, tags, isStrings, "must be a list of strings"),
    ...check(`${path}.identityRequired`, identityRequired, isBoolean, "must be true or false"),
    ...check(`${path}.onCircuitOpen`, onCircuitOpen, isFallback, "must name a server or hold functions by method"),
    ...checkPool(`${path}.pool`, definition.pool, poolOptionsOf(checkable, options)),
  ];
}

/** Puts a server's pool options together: the manager's, then the server's own. */
export function poolOptionsOf(definition: McpServerDefinition, options: McpConnectionManagerOptions): PoolOptions {
  const { cleanupIntervalMs } = options.settings ?? {};
  const { requestTimeoutMs, tools, trustAnnotations, pool } = definition;
  return {
    ...defined({ cleanupIntervalMs }),
    ...defined(options.pool),
    ...defined({ requestTimeoutMs, tools, trustAnnotations }),
    ...defined(pool),
  };
}

function defined(options: PoolOptions = {}): PoolOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

const SETTINGS: ReadonlySet<string> = new Set(["maxTotalConnections", "cleanupIntervalMs"]);
const SERVER_KEYS: ReadonlySet<string> = new Set([
  "connector",
  "connectionKey",
  "pool",
  "priority",
  "tags",
  "maxConcurrentRequests",
  "requestTimeoutMs",
  "identityRequired",
  "maxIdentities",
  "tools",
  "trustAnnotations",
  "onCircuitOpen",
  "plugins",
  "pluginKey",
]);

function unknownKeys(value: object, known: ReadonlySet<string>, path: string): readonly Issue[] {
  const unknown = Object.keys(value).filter((key) => !known.has(key));
  return unknown.map((key) => ({
    path: `${path}.${key}`,
    message: `is not known; there are ${[...known].join(", ")}`,
  }));
}

function check(path: string, value: unknown, isGood: (value: unknown) => boolean, message: string): readonly Issue[] {
  return value === undefined || isGood(value) ? [] : [{ path, message: `${message}, not ${String(value)}` }];
}

function checkNumber(path: string, value: unknown, least: number, most: number = Infinity): readonly Issue[] {
  const isGood = (each: unknown) => typeof each === "number" && each >= least && each <= most;
  return check(path, value, isGood, `must be a ${least > 0 ? `number of at least ${least}` : "finite number"}`);
}

function checkCount(path: string, value: unknown): readonly Issue[] {
  const isGood = (each: unknown) => each === Infinity || (Number.isInteger(each) && Number(each) >= 1);
  return check(path, value, isGood, "must be a whole number of at least 1");
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isFallback(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { server, ...substitutes } = value;
  if (server !== undefined) return typeof server === "string";
  return Object.values(substitutes).every((each) => each === undefined || typeof each === "function");
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

/** Checks pool options as they are in force. */
function checkPool(path: string, own: unknown, inForce: PoolOptions | undefined): readonly Issue[] {
  if (own !== undefined && !isRecord(own)) return [{ path, message: "must be an object" }];
  try {
    resolvePoolOptions(inForce, path);
    return [];
  } catch (error) {
    if (!(error instanceof McpConfigurationError)) throw error;
    return error.issues;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
