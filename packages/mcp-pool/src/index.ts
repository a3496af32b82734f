export type {
  HttpConnectorOptions,
  InMemoryConnectorOptions,
  StdioConnectorOptions,
} from "@mcp-pool/connector";
export { httpConnector, inMemoryConnector, stdioConnector } from "@mcp-pool/connector";
export type {
  AcquireOptions,
  CallToolResult,
  Connector,
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
export type {
  HttpServerConfig,
  McpAddedServerConfig,
  McpPoolConfig,
  McpServerConfig,
  ServerSpecificConfig,
  StdioServerConfig,
} from "./config.ts";
export { type CreateMcpPoolOptions, createMcpPool, type McpPoolManager } from "./create-mcp-pool.ts";
export { getMcpConnectionManager, shutdownMcpConnectionManager } from "./process-manager.ts";
