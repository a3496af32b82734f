import { HEALTH, type PoolPlugin } from "@mcp-pool/core";
import { type HealthOptions, resolveHealthOptions } from "./health-options.ts";
import { Monitor } from "./monitor.ts";

/**
 * Checks the connections of a pool that have been quiet, retires those that are dead, and tells how the server does:
 * `pool.health`. With a circuit breaker beside it, failed checks open the circuit, and good ones close it.
 * @throws {McpConfigurationError} which lists every bad option
 */
export function health(options: HealthOptions = {}): PoolPlugin {
  const resolved = resolveHealthOptions(options);
  return {
    name: HEALTH,
    install: (pool) => {
      const monitor = new Monitor(resolved, pool);
      return { handle: monitor, dispose: () => monitor.dispose() };
    },
  };
}
