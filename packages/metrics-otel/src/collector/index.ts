export type { Timing } from "./latency-histogram.ts";
export type {
  AllMetrics,
  ConnectionMetrics,
  HealthSummary,
  ServerHealthMetrics,
  ServerMetrics,
  ToolMetrics,
} from "./metrics.ts";
export type { CollectedManager, McpMetricsCollectorOptions, MetricsQuery } from "./metrics-collector.ts";
export { McpMetricsCollector } from "./metrics-collector.ts";
export type { PrometheusModules } from "./prometheus-text.ts";
export type { KeySpelling, SnakeCase } from "./snake-case.ts";
