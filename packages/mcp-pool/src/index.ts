export type {
  AgentConfig,
  AgentVersion,
  AgentVersionFactoryOptions,
  AgentVersionOptions,
  McpToolManager,
  PooledCallOptions,
  PooledMcpClient,
  PooledMcpToolsOptions,
  PooledTool,
  PooledToolSource,
  ResolveAgentToolsOptions,
  ToolFilter,
  VersionedAgent,
} from "@mcp-pool/agent-adapter";
export {
  AgentVersionFactory,
  collectTools,
  createPooledMcpTools,
  createVersionedAgent,
  PooledMcpTools,
  resolveAgentTools,
  toMcpClient,
} from "@mcp-pool/agent-adapter";
export type { CircuitBreakerOptions, RetryOptions } from "@mcp-pool/breaker";
export { CircuitBreaker, circuitBreaker, requestTimeout, retry } from "@mcp-pool/breaker";
export type {
  CircuitBreakerConfig,
  ExplainedValue,
  HealthCheckConfig,
  HttpServerConfig,
  InputDefinition,
  InterpolateOptions,
  LoadMcpConfigOptions,
  LogLevel,
  McpConfigWatcher,
  McpPoolConfig,
  McpServerConfig,
  McpSettings,
  MockConfig,
  NamedServerConfig,
  PoolConfig,
  ResolvedPoolConfig,
  ResolvedServerConfig,
  RetryConfig,
  ServerSpecificConfig,
  StdioServerConfig,
  ToolConfig,
  WatchMcpConfigOptions,
} from "@mcp-pool/config";
export { loadMcpConfig, McpManagerConfig, watchMcpConfig } from "@mcp-pool/config";
export type {
  AuthProviderFactory,
  HeadersRequest,
  HttpConnectorOptions,
  InMemoryConnectorOptions,
  MockConnectorOptions,
  StdioConnectorOptions,
} from "@mcp-pool/connector";
export { httpConnector, inMemoryConnector, mockConnector, stdioConnector } from "@mcp-pool/connector";
export type {
  AcquireOptions,
  CallToolResult,
  CircuitBreakerStats,
  CircuitFallback,
  ClientHandlers,
  Connector,
  CreateMessageParams,
  CreateMessageResult,
  ElicitParams,
  ElicitResult,
  HandlerContext,
  HealthStatus,
  Issue,
  Judgement,
  Lease,
  LoggingLevel,
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
  ResourceUpdate,
  ServerHealth,
  ServerNotification,
  Tool,
  ToolOptions,
} from "@mcp-pool/core";
export {
  CircuitBreakerOpenError,
  judgementOf,
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
export type { OtelMetricsOptions } from "@mcp-pool/metrics-otel";
export { otelMetrics } from "@mcp-pool/metrics-otel";
export type {
  AllMetrics,
  HealthSummary,
  McpMetricsCollectorOptions,
  ServerHealthMetrics,
  ServerMetrics,
  SnakeCase,
} from "@mcp-pool/metrics-otel/collector";
export { McpMetricsCollector } from "@mcp-pool/metrics-otel/collector";
export {
  type CreateMcpPoolOptions,
  createMcpPool,
  type McpAddedServerConfig,
  type McpPoolManager,
  type McpPoolSource,
} from "./create-mcp-pool.ts";
export type { Logger } from "./logger.ts";
export { getMcpConnectionManager, getMetricsCollector, shutdownMcpConnectionManager } from "./process-manager.ts";
export type { Credentials, CredentialsRequest, CredentialsSource } from "./server-definition.ts";
