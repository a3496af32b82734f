import type { OnRelease, PoolOptions } from "@mcp-pool/core";
import { z } from "zod";
import { type CircuitBreakerConfig, circuitBreakerConfigSchema } from "./circuit-breaker-config.ts";
import { type HealthCheckConfig, healthCheckConfigSchema } from "./health-check-config.ts";
import { type RetryConfig, retryConfigSchema } from "./retry-config.ts";
import { block, type ConfigSchema, count, duration, finiteCount, flag, functionOnly, oneOf } from "./schema-parts.ts";

/** How the connections to a server are pooled. Times are in milliseconds. */
export interface PoolConfig extends Omit<PoolOptions, "tools" | "trustAnnotations" | "handlers" | "leaseHandlers"> {
  readonly retry?: RetryConfig | undefined;
  readonly healthCheck?: HealthCheckConfig | undefined;
  readonly circuitBreaker?: CircuitBreakerConfig | undefined;
}

export const poolConfigSchema: ConfigSchema<PoolConfig> = block({
  minConnections: finiteCount(0).optional(),
  maxConnections: finiteCount(1).optional(),
  maxIdleTimeMs: duration().optional(),
  maxLifetimeMs: duration().optional(),
  maxUses: count(1).optional(),
  connectionTimeoutMs: duration().optional(),
  acquireTimeoutMs: duration().optional(),
  requestTimeoutMs: duration().optional(),
  attemptTimeoutMs: duration().optional(),
  maxWaiting: count(0).optional(),
  maxRequestsPerConnection: count(1).optional(),
  sharing: oneOf("shared", "exclusive").optional(),
  onRelease: z
    .union([oneOf("reuse", "close"), functionOnly<Exclude<OnRelease, string>>()], { error: '"reuse" or "close"' })
    .optional(),
  validateOnAcquire: flag().optional(),
  cleanupIntervalMs: duration().optional(),
  leakThresholdMs: duration().optional(),
  toolListTtlMs: duration().optional(),
  retry: retryConfigSchema.optional(),
  healthCheck: healthCheckConfigSchema.optional(),
  circuitBreaker: circuitBreakerConfigSchema.optional(),
});
