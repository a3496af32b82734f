import type { Environment } from "./interpolation.ts";
import type { McpPoolConfig } from "./mcp-pool-config.ts";
import type { Problems } from "./problems.ts";
import { describeValue } from "./reveal.ts";
import { CODE, type Path } from "./source.ts";
import { parseTime, secondsToMs } from "./time-text.ts";

/** Reads the text of a variable; `undefined` for what makes no sense. */
interface Reader {
  readonly expected: string;
  read(text: string): unknown;
}

const count = (least: number): Reader => ({
  expected: `a whole number of at least ${least}`,
  read: (text) => (/^\d+$/.test(text) && Number(text) >= least ? Number(text) : undefined),
});

const SECONDS: Reader = {
  expected: 'a time in seconds above 0, or one with a unit such as "500ms"',
  read(text) {
    const time = /^\d+(\.\d+)?$/.test(text) ? secondsToMs(Number(text)) : parseTime(text);
    return time !== undefined && time >= 1 && Number.isFinite(time) ? time : undefined;
  },
};

const FLAG: Reader = {
  expected: "true or false",
  read(text) {
    if (/^(true|1|yes|on)$/i.test(text)) return true;
    return /^(false|0|no|off)$/i.test(text) ? false : undefined;
  },
};

const LOG_LEVEL: Reader = {
  expected: "debug, info, warn, warning or error",
  read: (text) => (/^(debug|info|warn|warning|error)$/i.test(text) ? text.toLowerCase() : undefined),
};

/** The variables, what each sets, and how it is read. */
export const VARIABLES: Readonly<Record<string, { readonly path: Path; readonly reader: Reader }>> = {
  MCP_LOG_LEVEL: { path: ["settings", "logLevel"], reader: LOG_LEVEL },
  MCP_ENABLE_METRICS: { path: ["settings", "enableMetrics"], reader: FLAG },
  MCP_MAX_TOTAL_CONNECTIONS: { path: ["settings", "maxTotalConnections"], reader: count(1) },
  MCP_CLEANUP_INTERVAL: { path: ["settings", "cleanupIntervalMs"], reader: SECONDS },
  MCP_DEFAULT_MIN_CONNECTIONS: { path: ["pool", "minConnections"], reader: count(0) },
  MCP_DEFAULT_MAX_CONNECTIONS: { path: ["pool", "maxConnections"], reader: count(1) },
  MCP_CONNECTION_TIMEOUT: { path: ["pool", "connectionTimeoutMs"], reader: SECONDS },
  MCP_HEALTH_CHECK_INTERVAL: { path: ["pool", "healthCheck", "intervalMs"], reader: SECONDS },
  MCP_ENABLE_CIRCUIT_BREAKERS: { path: ["settings", "enableCircuitBreakers"], reader: FLAG },
  MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD: { path: ["pool", "circuitBreaker", "failureThreshold"], reader: count(1) },
  MCP_CIRCUIT_BREAKER_RECOVERY_TIMEOUT: { path: ["pool", "circuitBreaker", "recoveryTimeoutMs"], reader: SECONDS },
  MCP_DETAILED_METRICS: { path: ["settings", "detailedMetrics"], reader: FLAG },
  MCP_METRICS_INTERVAL: { path: ["settings", "metricsIntervalMs"], reader: SECONDS },
  MCP_ENABLE_MOCKS: { path: ["settings", "enableMockServers"], reader: FLAG },
  MCP_SINGLE_CONNECTION: { path: ["settings", "forceSingleConnection"], reader: FLAG },
  MCP_DISABLE_HEALTH_CHECKS: { path: ["settings", "disableHealthChecks"], reader: FLAG },
};

/** Names the configuration file that is used when no path is given. */
export const CONFIG_PATH_VARIABLE = "MCP_CONFIG_PATH";

/** Reads the variables; one that is empty counts as not set. */
export function readEnvironment(env: Environment, problems: Problems): Pick<McpPoolConfig, "settings" | "pool"> {
  const result: Record<string, unknown> = {};
  for (const [variable, { path, reader }] of Object.entries(VARIABLES)) {
    const text = (Object.hasOwn(env, variable) ? env[variable] : undefined)?.trim() ?? "";
    if (text === "") continue;
    const value = reader.read(text);
    if (value !== undefined) setAt(result, path, value);
    else {
      const { expected } = reader;
      problems.report(CODE, [variable], { expected, found: describeValue(text), hint: `it sets ${path.join(".")}` });
    }
  }
  return result;
}

function setAt(target: Record<string, unknown>, path: Path, value: unknown): void {
  const [key = "", ...rest] = path.map(String);
  if (rest.length === 0) target[key] = value;
  else {
    const child = (target[key] ?? {}) as Record<string, unknown>;
    target[key] = child;
    setAt(child, rest, value);
  }
}
