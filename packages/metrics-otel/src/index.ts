export { ATTRIBUTES, METRICS, type MetricDefinition } from "./names.ts";
export { OTEL_METRICS, otelMetrics } from "./otel-metrics.ts";
export type { OtelMetricsOptions } from "./otel-options.ts";
