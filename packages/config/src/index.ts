export type { CircuitBreakerConfig } from "./circuit-breaker-config.ts";
export { circuitBreakerConfigSchema } from "./circuit-breaker-config.ts";
export type {
  ResolvedCircuitBreakerConfig,
  ResolvedHealthCheckConfig,
  ResolvedMcpSettings,
  ResolvedPoolConfig,
  ResolvedRetryConfig,
} from "./defaults.ts";
export { POOL_DEFAULTS, SETTINGS_DEFAULTS } from "./defaults.ts";
export type { ExplainedValue } from "./explain.ts";
export type { HealthCheckConfig, HealthCheckMethod } from "./health-check-config.ts";
export { healthCheckConfigSchema } from "./health-check-config.ts";
export type { Environment, InterpolateOptions } from "./interpolation.ts";
export type { LoadMcpConfigOptions } from "./load-mcp-config.ts";
export { loadMcpConfig } from "./load-mcp-config.ts";
export type { McpManagerConfigOptions } from "./mcp-manager-config.ts";
export { McpManagerConfig } from "./mcp-manager-config.ts";
export type { McpPoolConfig } from "./mcp-pool-config.ts";
export { mcpPoolConfigSchema } from "./mcp-pool-config.ts";
export type { LogLevel, McpSettings } from "./mcp-settings.ts";
export { mcpSettingsSchema } from "./mcp-settings.ts";
export type { MockConfig, MockFaultConfig, MockToolConfig } from "./mock-config.ts";
export { mockConfigSchema } from "./mock-config.ts";
export type { NamedServerConfig } from "./named-server.ts";
export type { PoolConfig } from "./pool-config.ts";
export { poolConfigSchema } from "./pool-config.ts";
export type { ResolvedMcpConfig, ResolvedServer } from "./resolved-config.ts";
export type { RetryConfig } from "./retry-config.ts";
export { retryConfigSchema } from "./retry-config.ts";
export type { ConfigSchema } from "./schema-parts.ts";
export type { HttpServerConfig, McpServerConfig, ResolvedServerConfig, StdioServerConfig } from "./server-config.ts";
export { httpServerConfigSchema, mcpServerConfigSchema, stdioServerConfigSchema } from "./server-config.ts";
export type { InputDefinition } from "./server-entry.ts";
export type { ServerSpecificConfig, ToolConfig } from "./server-specific-config.ts";
export { serverSpecificConfigSchema } from "./server-specific-config.ts";
export type { McpConfigWatcher, Reloadable, WatchMcpConfigOptions } from "./watch-mcp-config.ts";
export { watchMcpConfig } from "./watch-mcp-config.ts";
