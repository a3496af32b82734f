export type { CircuitBreakerOptions, RetryOptions } from "@mcp-pool/breaker";
export { CircuitBreaker, circuitBreaker, requestTimeout, retry } from "@mcp-pool/breaker";
export type {
  HttpConnectorOptions,
  InMemoryConnectorOptions,
  StdioConnectorOptions,
} from "@mcp-pool/connector";
export { httpConnector, inMemoryConnector, stdioConnector } from "@mcp-pool/connector";
export type {
  AcquireOptions,
  CallToolResult,
  CircuitBreakerStats,
  CircuitFallback,
  Connector,
  HealthStatus,
  Lease,
  McpConnectionPoolOptions,
  McpPoolErrorCode,
  McpServerDefinition,
  McpToolsLease,
  PoolEvent,
  PooledConnection,
  PoolMetrics,
  PoolOptions,
  PoolPlugin,
  PoolStats,
  RequestOptions,
  Tool,
  ToolOptions,
} from "@mcp-pool/core";
export {
  CircuitBreakerOpenError,
  McpClient,
  McpConfigurationError,
  McpConnectionError,
  McpConnectionManager,
  McpConnectionPool,
  McpHealthCheckError,
  McpOutcomeUnknownError,
  McpPoolClosedError,
  McpPoolError,
  McpPoolExhaustedError,
  McpServerNotFoundError,
  McpSessionLostError,
  McpTimeoutError,
  McpValidationError,
} from "@mcp-pool/core";
export type { HealthOptions } from "@mcp-pool/health";
export { health } from "@mcp-pool/health";
export type {
  HttpServerConfig,
  McpAddedServerConfig,
  McpPoolConfig,
  McpServerConfig,
  McpSettings,
  PoolConfig,
  ServerSpecificConfig,
  StdioServerConfig,
} from "./config.ts";
export { type CreateMcpPoolOptions, createMcpPool, type McpPoolManager } from "./create-mcp-pool.ts";
export { getMcpConnectionManager, shutdownMcpConnectionManager } from "./process-manager.ts";
export type { ResilienceConfig, ResilienceSettings } from "./resilience.ts";
