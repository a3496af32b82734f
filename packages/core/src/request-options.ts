import { handlersProblem } from "./client-handlers.ts";
import { McpValidationError } from "./errors.ts";
import type { AcquireOptions, RequestOptions, ResolvedPoolOptions } from "./options.ts";
import type { DeadlineStretch } from "./plugin.ts";

/** Merges `options.meta` into the parameters; what the parameters say themselves wins. */
export function withMeta(
  params: Readonly<Record<string, unknown>> | undefined,
  meta: RequestOptions["meta"],
): Readonly<Record<string, unknown>> | undefined {
  if (meta === undefined) return params;
  const own = params?._meta;
  return { ...params, _meta: { ...meta, ...(typeof own === "object" ? own : undefined) } };
}

/** The options of a call that has none; there is nothing in them to be checked. */
export const NO_OPTIONS: RequestOptions = Object.freeze({});

const OPTIONS: ReadonlySet<string> = new Set<keyof RequestOptions | keyof AcquireOptions>([
  "signal",
  "timeoutMs",
  "identity",
  "headers",
  "meta",
  "onProgress",
  "resetTimeoutOnProgress",
  "maxTotalTimeoutMs",
  "handlers",
  "idempotent",
  "sharing",
  "stickyKey",
]);

/** Returns what is wrong with the options of a call or an acquire, if something is. */
export function optionsError(
  options: RequestOptions | AcquireOptions,
  serverName: string,
): McpValidationError | undefined {
  if (options === NO_OPTIONS) return undefined;
  if (typeof options !== "object" || options === null) {
    return invalid("options", `must be an object, not ${shown(options)}`, serverName);
  }
  // A misspelt one would be a limit, or a holder of its own, that somebody counts on and nobody keeps.
  for (const name in options) {
    if (OPTIONS.has(name) || !Object.hasOwn(options, name)) continue;
    return invalid(name, `is not known; there are ${[...OPTIONS].join(", ")}`, serverName);
  }
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs > 0)) {
    return invalid("timeoutMs", `must be a number above 0, in milliseconds, not ${shown(timeoutMs)}`, serverName);
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    return invalid("signal", "must be an AbortSignal", serverName);
  }
  if ("headers" in options && options.headers !== undefined && typeof options.headers !== "function") {
    const problem = headersProblem(options.headers);
    if (problem !== undefined) return invalid("headers", problem, serverName);
  }
  const problem = options.handlers === undefined ? undefined : handlersProblem(options.handlers);
  if (problem !== undefined) return invalid("handlers", problem, serverName);
  if (!("maxTotalTimeoutMs" in options) || options.maxTotalTimeoutMs === undefined) return undefined;
  if (!(typeof options.maxTotalTimeoutMs === "number" && options.maxTotalTimeoutMs > 0)) {
    const value = shown(options.maxTotalTimeoutMs);
    return invalid("maxTotalTimeoutMs", `must be a number above 0, in milliseconds, not ${value}`, serverName);
  }
  return undefined;
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Values are not shown: they may be secrets. */
function headersProblem(headers: unknown): string | undefined {
  if (typeof headers !== "object" || headers === null) return "must be an object of strings, or a function";
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "string") return `must hold strings only; "${name}" is none`;
  }
  return undefined;
}

/** Returns what is wrong with the time given to work that drains, if something is. */
export function drainError(drainTimeoutMs: unknown, serverName: string): McpValidationError | undefined {
  if (typeof drainTimeoutMs === "number" && drainTimeoutMs >= 0) return undefined;
  return invalid(
    "drainTimeoutMs",
    `must be a number of at least 0, in milliseconds, not ${shown(drainTimeoutMs)}`,
    serverName,
  );
}

/** Makes the error for one bad option of a call. */
export function invalid(path: string, message: string, serverName: string): McpValidationError {
  return new McpValidationError(`invalid option of a call to MCP server "${serverName}": ${path} ${message}`, {
    serverName,
    issues: [{ path, message }],
  });
}

/** Returns the time that a tool's settings give its calls, in milliseconds. */
export function toolTimeoutMs(
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  { tools }: ResolvedPoolOptions,
): number | undefined {
  if (tools === undefined || method !== "tools/call") return undefined;
  return tools.get(String(params?.name))?.timeoutMs;
}

/** The most that progress stretches a request to, in milliseconds, unless its caller says otherwise. */
const MAX_TOTAL_TIMEOUT_MS = 3_600_000;

/** Returns how far progress stretches the time of a request that began at a time of the clock, in milliseconds. */
export function stretchOf(
  { maxTotalTimeoutMs = MAX_TOTAL_TIMEOUT_MS }: RequestOptions,
  startedAt: number,
  byMs: number,
): DeadlineStretch {
  return { byMs, latestAt: startedAt + maxTotalTimeoutMs };
}
