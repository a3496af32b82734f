import { circuitBreaker, retry } from "@mcp-pool/breaker";
import type { PoolConfig } from "@mcp-pool/config";
import { CIRCUIT_BREAKER, HEALTH, type PoolPlugin } from "@mcp-pool/core";
import { health } from "@mcp-pool/health";
import { comparable } from "./comparable.ts";
import { withPaths } from "./paths-of-issues.ts";

/** The plugins of one server, and what they are made of, for comparison. */
export interface ResiliencePlugins {
  readonly plugins: readonly PoolPlugin[];
  readonly pluginKey: string;
}

/**
 * Makes what a pool does about failures: retries, a circuit breaker and health checks, unless they are switched off.
 * @param taken names of the plugins that the user has brought, which take the place of ours
 */
export function resiliencePlugins(pool: PoolConfig, taken: ReadonlySet<string>, path: string): ResiliencePlugins {
  const plugins: PoolPlugin[] = [];
  const made: unknown[] = [];
  const add = <Options extends { readonly enabled?: boolean | undefined }>(
    name: string,
    options: Options | undefined,
    make: (options: Omit<Options, "enabled">) => PoolPlugin,
  ) => {
    const { enabled = true, ...own } = options ?? ({} as Options);
    if (!enabled || taken.has(name)) return;
    plugins.push(
      withPaths(
        (option) => `${path}.${option}`,
        () => make(own),
      ),
    );
    made.push([name, own]);
  };
  add("retry", pool.retry, retry);
  add(CIRCUIT_BREAKER, pool.circuitBreaker, circuitBreaker);
  add(HEALTH, pool.healthCheck, health);
  return { plugins, pluginKey: comparable(made) };
}
