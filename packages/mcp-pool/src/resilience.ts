import { type CircuitBreakerOptions, circuitBreaker, type RetryOptions, retry } from "@mcp-pool/breaker";
import { CIRCUIT_BREAKER, HEALTH, type Issue, McpConfigurationError, type PoolPlugin } from "@mcp-pool/core";
import { type HealthOptions, health } from "@mcp-pool/health";
import { isRecord } from "./to-connector.ts";

/** What a pool does about failures. Each part is on unless it is switched off. */
export interface ResilienceConfig {
  readonly healthCheck?: (HealthOptions & Switch) | undefined;
  readonly circuitBreaker?: (CircuitBreakerOptions & Switch) | undefined;
  readonly retry?: (RetryOptions & Switch) | undefined;
}

interface Switch {
  /** @default true */
  readonly enabled?: boolean | undefined;
}

/** Settings over all servers that switch parts of it off. */
export interface ResilienceSettings {
  /** @default true */
  readonly enableCircuitBreakers?: boolean | undefined;
  /** @default false */
  readonly disableHealthChecks?: boolean | undefined;
}

/** The plugins of one server, and what they are made of, for comparison. */
export interface ResiliencePlugins {
  readonly plugins: readonly PoolPlugin[];
  readonly pluginKey: string;
}

export const RESILIENCE_KEYS: readonly string[] = ["healthCheck", "circuitBreaker", "retry"];
export const RESILIENCE_SETTINGS: readonly string[] = ["enableCircuitBreakers", "disableHealthChecks"];

/** Makes the plugins of one server: what `shared` says of all servers, overridden field by field by what is its own. */
export function resiliencePlugins(
  shared: { readonly path: string; readonly pool: unknown },
  own: { readonly path: string; readonly pool: unknown },
  settings: unknown,
  taken: ReadonlySet<string>,
  issues: Issue[],
): ResiliencePlugins {
  const { enableCircuitBreakers = true, disableHealthChecks = false } = (
    isRecord(settings) ? settings : {}
  ) as ResilienceSettings;
  const plugins: PoolPlugin[] = [];
  const made: unknown[] = [];
  // A problem of all servers is told once.
  const report = (issue: Issue) => {
    if (!issues.some(({ path, message }) => path === issue.path && message === issue.message)) issues.push(issue);
  };
  const add = <Options>(key: string, name: string, isOn: boolean, make: (options: Options) => PoolPlugin) => {
    const merged = merge(key, shared, own, report);
    if (merged === undefined || !isOn || taken.has(name)) return;
    const { enabled = true, ...options } = merged;
    if (enabled === false) return;
    try {
      plugins.push(make(options as Options));
      made.push([name, options]);
    } catch (error) {
      if (!(error instanceof McpConfigurationError)) throw error;
      for (const issue of error.issues) {
        const isOwn =
          isRecord(own.pool) &&
          isRecord(own.pool[key]) &&
          Object.hasOwn(own.pool[key], issue.path.split(".").at(-1) ?? "");
        report({ ...issue, path: `${isOwn ? own.path : shared.path}.${issue.path}` });
      }
    }
  };
  add("retry", "retry", true, retry);
  add("circuitBreaker", CIRCUIT_BREAKER, enableCircuitBreakers, circuitBreaker);
  add("healthCheck", HEALTH, !disableHealthChecks, health);
  return { plugins, pluginKey: JSON.stringify(made, (_key, value: unknown) => comparable(value)) };
}

/** Lists what is wrong with the settings that switch parts off. */
export function settingsIssues(settings: unknown): readonly Issue[] {
  if (!isRecord(settings)) return [];
  return RESILIENCE_SETTINGS.filter((key) => settings[key] !== undefined && typeof settings[key] !== "boolean").map(
    (key) => ({ path: `settings.${key}`, message: `must be true or false, not ${String(settings[key])}` }),
  );
}

/** Returns a value without the keys that are for us, or as it is if it has no keys. */
export function without(value: unknown, keys: readonly string[]): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function merge(
  key: string,
  shared: { readonly path: string; readonly pool: unknown },
  own: { readonly path: string; readonly pool: unknown },
  report: (issue: Issue) => void,
): Readonly<Record<string, unknown>> | undefined {
  const parts: Readonly<Record<string, unknown>>[] = [];
  for (const { path, pool } of [shared, own]) {
    const part = isRecord(pool) ? pool[key] : undefined;
    if (part === undefined) continue;
    if (!isRecord(part)) report({ path: `${path}.${key}`, message: "must be an object" });
    else if (part.enabled !== undefined && typeof part.enabled !== "boolean") {
      report({ path: `${path}.${key}.enabled`, message: "must be true or false" });
    } else {
      parts.push(Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)));
      continue;
    }
    return undefined;
  }
  return Object.assign({}, ...parts) as Readonly<Record<string, unknown>>;
}

const ids = new WeakMap<object, number>();
let lastId = 0;

/** Functions are compared by which they are. */
function comparable(value: unknown): unknown {
  if (typeof value !== "function") return value;
  const id = ids.get(value) ?? ++lastId;
  ids.set(value, id);
  return `function ${id}`;
}
