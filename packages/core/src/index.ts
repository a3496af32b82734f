export type { CircuitBreaker, CircuitBreakerStats, CircuitState } from "./circuit-breaker.ts";
export { CIRCUIT_BREAKER } from "./circuit-breaker.ts";
export type { CircuitFallback, CircuitSubstitutes } from "./circuit-fallback.ts";
export type { McpClientContext, Requester } from "./client.ts";
export { McpClient } from "./client.ts";
export type { ClientHandlers, HandlerContext, HandlerKind } from "./client-handlers.ts";
export type {
  ClientFeatures,
  CreateMessageParams,
  CreateMessageResult,
  ElicitParams,
  ElicitResult,
  Root,
  SamplingContent,
  SamplingMessage,
} from "./client-protocol.ts";
export type { Clock, Timer } from "./clock.ts";
export { systemClock } from "./clock.ts";
export type { ConfigTranslator } from "./config-translator.ts";
export type {
  ClientNotification,
  CloseReason,
  ConnectionEndpoint,
  ConnectionEvent,
  ConnectionRequestOptions,
  Connector,
  ConnectRequest,
  Judgement,
  McpConnection,
  Progress,
  RequestEnd,
  RequestFailureOptions,
  ServerDescription,
  ServerNotification,
  StartedRequest,
  StartRequest,
  Unsubscribe,
} from "./connector.ts";
export { RequestFailure } from "./connector.ts";
export type { Issue, McpPoolErrorCode, McpPoolErrorOptions, PoolCounts, TimeoutPhase } from "./errors.ts";
export {
  CircuitBreakerOpenError,
  failureOf,
  judgementOf,
  McpConfigurationError,
  McpConnectionError,
  McpHealthCheckError,
  McpOutcomeUnknownError,
  McpPoolClosedError,
  McpPoolError,
  McpPoolExhaustedError,
  McpServerNotFoundError,
  McpSessionLostError,
  McpTimeoutError,
  McpValidationError,
} from "./errors.ts";
export type { PoolEventType } from "./event-hub.ts";
export type { PoolEvent, PoolEventDetail, PoolEventListener, PoolEventSource } from "./events.ts";
export type { HealthMonitor, HealthStatus } from "./health-monitor.ts";
export { HEALTH } from "./health-monitor.ts";
export type { Lease } from "./lease.ts";
export { McpConnectionManager } from "./manager.ts";
export type {
  ManagerCloseOptions,
  McpConnectionManagerOptions,
  McpManagerSettings,
  McpServerDefinition,
} from "./manager-options.ts";
export type { ManagerStats } from "./manager-stats.ts";
export type { McpToolsLease } from "./mcp-tools-lease.ts";
export type {
  AcquireOptions,
  OnRelease,
  PoolOptions,
  RequestHeaders,
  RequestOptions,
  ResolvedPoolOptions,
  Sharing,
  ToolOptions,
} from "./options.ts";
export { resolvePoolOptions } from "./options.ts";
export type {
  Admission,
  Connect,
  ConnectionState,
  DeadlineStretch,
  HeldLease,
  PluginInstallation,
  PoolControl,
  PooledConnection,
  PoolPlugin,
  PoolRequest,
  Request,
  RoomHold,
} from "./plugin.ts";
export { McpConnectionPool } from "./pool.ts";
export type { PoolEnvironment } from "./pool-environment.ts";
export type { PoolMetrics } from "./pool-metrics.ts";
export type { McpConnectionPoolOptions } from "./pool-parts.ts";
export type { ProcessManager, ProcessManagers } from "./process-managers.ts";
export { claimProcessManagers, processManagers } from "./process-managers.ts";
export type {
  CallToolParams,
  CallToolResult,
  CompleteParams,
  CompleteResult,
  ContentBlock,
  GetPromptParams,
  GetPromptResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceParams,
  ResourceTemplate,
  Tool,
} from "./protocol.ts";
export type { Resolvable } from "./resolvable.ts";
export type { ResourceUpdate, SubscribeOptions } from "./resource-subscriptions.ts";
export type { ServerHealth } from "./server-health.ts";
export type { LoggingLevel } from "./session-logging.ts";
export type { PoolCounters, PoolStats } from "./stats.ts";
