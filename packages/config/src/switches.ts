import type { McpSettings } from "./mcp-settings.ts";
import type { PoolConfig } from "./pool-config.ts";

/** Applies the settings that go before whatever a pool says. */
export function applySwitches(pool: PoolConfig, settings: McpSettings): PoolConfig {
  const { forceSingleConnection = false, disableHealthChecks = false, enableCircuitBreakers = true } = settings;
  return {
    ...pool,
    ...(forceSingleConnection && { minConnections: Math.min(pool.minConnections ?? 0, 1), maxConnections: 1 }),
    ...(disableHealthChecks && { healthCheck: { ...pool.healthCheck, enabled: false } }),
    ...(!enableCircuitBreakers && { circuitBreaker: { ...pool.circuitBreaker, enabled: false } }),
  };
}
