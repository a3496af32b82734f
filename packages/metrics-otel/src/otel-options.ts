import { type Issue, McpConfigurationError } from "@mcp-pool/core";
import type { MeterProvider, TracerProvider } from "@opentelemetry/api";

/** Options of {@link otelMetrics}. */
export interface OtelMetricsOptions {
  /** Makes the meter. @default the global one, as it is when the pool is made, or when its first connection opens */
  readonly meterProvider?: MeterProvider | undefined;
  /** Makes the tracer of the spans. @default the global one */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Whether metrics are recorded. @default true */
  readonly metrics?: boolean | undefined;
  /** Whether each request gets a span. @default whether a `tracerProvider` is given */
  readonly spans?: boolean | undefined;
  /** Whether the trace context is handed to the server, in `params._meta`. @default whether a propagator is registered when the pool is made */
  readonly propagation?: boolean | undefined;
  /** The value of `mcp_pool.name`: set it where one process has several managers. @default "default" */
  readonly name?: string | undefined;
  /** Whether the metrics of the MCP conventions carry the attributes of our own, `mcp_pool.*`. @default true */
  readonly ownAttributes?: boolean | undefined;
  /** Adds `mcp_pool.identity`, a hash of the identity with this salt. @default identities are left out */
  readonly identitySalt?: string | undefined;
  /** Names of tools and prompts in metrics, over all servers; those beyond are `_OTHER`. @default 200 */
  readonly maxToolNames?: number | undefined;
  /** Says by which name a tool goes in metrics, for example to put many into one. @default its own */
  readonly toolName?: ((tool: string, serverName: string) => string) | undefined;
}

/** {@link OtelMetricsOptions} with the defaults filled in. */
export interface ResolvedOtelMetricsOptions
  extends Pick<OtelMetricsOptions, "meterProvider" | "tracerProvider" | "propagation" | "identitySalt" | "toolName"> {
  readonly metrics: boolean;
  readonly spans: boolean;
  readonly name: string;
  readonly ownAttributes: boolean;
  readonly maxToolNames: number;
}

const TYPES: Readonly<Record<keyof OtelMetricsOptions, "function" | "boolean" | "string" | "count" | "provider">> = {
  meterProvider: "provider",
  tracerProvider: "provider",
  metrics: "boolean",
  spans: "boolean",
  propagation: "boolean",
  name: "string",
  ownAttributes: "boolean",
  identitySalt: "string",
  maxToolNames: "count",
  toolName: "function",
};

/**
 * Checks the options and fills in the defaults.
 * @throws {McpConfigurationError} which lists every problem
 */
export function resolveOtelMetricsOptions(options: OtelMetricsOptions): ResolvedOtelMetricsOptions {
  const issues: Issue[] = [];
  for (const [key, value] of Object.entries(options) as readonly [string, unknown][]) {
    if (!Object.hasOwn(TYPES, key)) {
      issues.push({ path: `metrics.${key}`, message: `is not known; there are ${Object.keys(TYPES).join(", ")}` });
      continue;
    }
    const problem = value === undefined ? undefined : problemOf(key as keyof OtelMetricsOptions, value);
    if (problem !== undefined) issues.push({ path: `metrics.${key}`, message: problem });
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);
  return {
    ...options,
    metrics: options.metrics ?? true,
    spans: options.spans ?? options.tracerProvider !== undefined,
    name: options.name ?? "default",
    ownAttributes: options.ownAttributes ?? true,
    maxToolNames: options.maxToolNames ?? 200,
  };
}

function problemOf(key: keyof OtelMetricsOptions, value: unknown): string | undefined {
  switch (TYPES[key]) {
    case "provider": {
      const method = key === "meterProvider" ? "getMeter" : "getTracer";
      const isProvider = typeof value === "object" && value !== null && method in value;
      return isProvider ? undefined : `must be a provider of OpenTelemetry, with ${method}()`;
    }
    case "count":
      return Number.isInteger(value) && Number(value) >= 0 ? undefined : "must be a whole number of at least 0";
    case "string":
      return typeof value === "string" && value !== "" ? undefined : "must be a string that is not empty";
    case "boolean":
      return typeof value === "boolean" ? undefined : "must be true or false";
    case "function":
      return typeof value === "function" ? undefined : "must be a function";
  }
}
