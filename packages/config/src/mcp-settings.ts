import { block, type ConfigSchema, count, duration, flag, oneOf } from "./schema-parts.ts";

/** From which level on events are logged. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Settings over all servers. */
export interface McpSettings {
  /** `warning` is `warn`. @default "info" */
  readonly logLevel?: LogLevel | "warning" | undefined;
  /** @default true */
  readonly enableMetrics?: boolean | undefined;
  /** Adds rows per tool and per connection. @default false */
  readonly detailedMetrics?: boolean | undefined;
  /** Time between two calls of the metric callbacks. @default 60_000 */
  readonly metricsIntervalMs?: number | undefined;
  /** Connections of all pools together. @default 100 */
  readonly maxTotalConnections?: number | undefined;
  /** How often idle connections and the pools of idle identities are looked at, where a pool does not say. @default 300_000 */
  readonly cleanupIntervalMs?: number | undefined;
  /** @default true */
  readonly enableCircuitBreakers?: boolean | undefined;
  /** Whether every server is answered by a fake in this process. @default false */
  readonly enableMockServers?: boolean | undefined;
  /** Whether every pool has one connection at most. @default false */
  readonly forceSingleConnection?: boolean | undefined;
  /** @default false */
  readonly disableHealthChecks?: boolean | undefined;
  /** The MCP SDK that speaks to the servers: 1.x, or 2.x, which has to be installed. @default "v1" */
  readonly sdk?: "v1" | "v2" | undefined;
}

export const mcpSettingsSchema: ConfigSchema<McpSettings> = block({
  logLevel: oneOf("debug", "info", "warn", "warning", "error").optional(),
  enableMetrics: flag().optional(),
  detailedMetrics: flag().optional(),
  metricsIntervalMs: duration().optional(),
  maxTotalConnections: count(1).optional(),
  cleanupIntervalMs: duration().optional(),
  enableCircuitBreakers: flag().optional(),
  enableMockServers: flag().optional(),
  forceSingleConnection: flag().optional(),
  disableHealthChecks: flag().optional(),
  sdk: oneOf("v1", "v2").optional(),
});
