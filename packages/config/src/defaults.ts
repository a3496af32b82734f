import type { CircuitBreakerConfig } from "./circuit-breaker-config.ts";
import type { HealthCheckConfig } from "./health-check-config.ts";
import type { McpSettings } from "./mcp-settings.ts";
import type { PoolConfig } from "./pool-config.ts";
import type { RetryConfig } from "./retry-config.ts";

type Defaults<T, Optional extends keyof T = never> = Readonly<
  { [K in Exclude<keyof T, Optional>]-?: Exclude<T[K], undefined> } & Pick<T, Optional>
>;

/** {@link HealthCheckConfig} with every default filled in. */
export type ResolvedHealthCheckConfig = Defaults<HealthCheckConfig>;

/** {@link CircuitBreakerConfig} with every default filled in; without `windowMs` failures in a row count. */
export type ResolvedCircuitBreakerConfig = Defaults<CircuitBreakerConfig, "windowMs" | "failureRate" | "minimumCalls">;

/** {@link RetryConfig} with every default filled in. */
export type ResolvedRetryConfig = Defaults<RetryConfig>;

/** {@link McpSettings} with every default filled in. */
export type ResolvedMcpSettings = Defaults<McpSettings>;

type NoDefault = "maxUses" | "attemptTimeoutMs" | "maxRequestsPerConnection" | "leakThresholdMs";

/** {@link PoolConfig} with every default filled in; what stays open has no limit, or is left to the connector. */
export type ResolvedPoolConfig = Defaults<Omit<PoolConfig, "healthCheck" | "circuitBreaker" | "retry">, NoDefault> & {
  readonly healthCheck: ResolvedHealthCheckConfig;
  readonly circuitBreaker: ResolvedCircuitBreakerConfig;
  readonly retry: ResolvedRetryConfig;
};

/** The default of every pool. A test keeps those that core knows too in step with core. */
export const POOL_DEFAULTS: ResolvedPoolConfig = {
  minConnections: 2,
  maxConnections: 10,
  maxIdleTimeMs: 300_000,
  maxLifetimeMs: 3_600_000,
  connectionTimeoutMs: 30_000,
  acquireTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  maxWaiting: 1_000,
  sharing: "shared",
  onRelease: "reuse",
  validateOnAcquire: true,
  cleanupIntervalMs: 60_000,
  toolListTtlMs: 300_000,
  retry: {
    enabled: true,
    maxAttempts: 3,
    initialDelayMs: 1_000,
    backoffFactor: 2,
    maxDelayMs: 30_000,
    budgetTokens: 500,
    repeatAfterSessionLoss: true,
  },
  healthCheck: {
    enabled: true,
    intervalMs: 60_000,
    timeoutMs: 10_000,
    failureThreshold: 3,
    successThreshold: 2,
    checkMethod: "auto",
    bypassMs: 500,
  },
  circuitBreaker: {
    enabled: true,
    failureThreshold: 5,
    recoveryTimeoutMs: 60_000,
    successThreshold: 2,
    halfOpenMaxCalls: 1,
    trialTimeoutMs: 60_000,
  },
};

/** The default of every setting. */
export const SETTINGS_DEFAULTS: ResolvedMcpSettings = {
  logLevel: "info",
  enableMetrics: true,
  detailedMetrics: false,
  metricsIntervalMs: 60_000,
  maxTotalConnections: 100,
  cleanupIntervalMs: 300_000,
  enableCircuitBreakers: true,
  enableMockServers: false,
  forceSingleConnection: false,
  disableHealthChecks: false,
  sdk: "v1",
};

/** Fills the defaults in. An unset minimum is the smaller of 2 and the maximum; an unset clean-up interval is the manager's. */
export function withPoolDefaults(pool: PoolConfig, settings: McpSettings): ResolvedPoolConfig {
  const { healthCheck, circuitBreaker, retry, ...rest } = pool;
  const maxConnections = pool.maxConnections ?? POOL_DEFAULTS.maxConnections;
  const cleanupIntervalMs = settings.cleanupIntervalMs ?? POOL_DEFAULTS.cleanupIntervalMs;
  return {
    ...POOL_DEFAULTS,
    minConnections: Math.min(POOL_DEFAULTS.minConnections, maxConnections),
    cleanupIntervalMs,
    ...(rest as Partial<ResolvedPoolConfig>),
    retry: { ...POOL_DEFAULTS.retry, ...(retry as Partial<ResolvedRetryConfig>) },
    healthCheck: { ...POOL_DEFAULTS.healthCheck, ...(healthCheck as Partial<ResolvedHealthCheckConfig>) },
    circuitBreaker: { ...POOL_DEFAULTS.circuitBreaker, ...(circuitBreaker as Partial<ResolvedCircuitBreakerConfig>) },
  };
}

/** Fills the defaults in. */
export function withSettingsDefaults(settings: McpSettings): ResolvedMcpSettings {
  return { ...SETTINGS_DEFAULTS, ...(settings as Partial<ResolvedMcpSettings>) };
}
