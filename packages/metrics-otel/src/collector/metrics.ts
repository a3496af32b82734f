import type { PoolMetrics } from "@mcp-pool/core";
import type { Timing } from "./latency-histogram.ts";

/**
 * How a server does. `unavailable`: no connection is open, and none could be opened at the last try. `critical`: its circuit
 * is open, or at least 20 % of requests failed. `warning`: at least 10 % failed, or at least 90 % of its room is taken.
 * `unknown`: nothing was tried yet.
 */
export type ServerHealthMetrics = "healthy" | "warning" | "critical" | "unavailable" | "unknown";

/** One server in figures. Percentages run from 0 to 100, ratios from 0 to 1. */
export interface ServerMetrics extends Omit<PoolMetrics, "circuitBreaker"> {
  readonly tags: readonly string[];
  readonly timing: {
    /** The wait for room on a connection. */
    readonly acquire: Timing;
    readonly create: Timing;
    readonly healthCheck: Timing;
    /** Requests as their callers see them, waits and further tries included. */
    readonly request: Timing;
  };
  readonly health: {
    readonly status: ServerHealthMetrics;
    readonly checksPerformed: number;
    readonly checksFailed: number;
    readonly consecutiveFailures: number;
    /** Milliseconds since the epoch. */
    readonly lastCheck: number | undefined;
    /** Failed requests of the last five minutes; 0 below ten requests. */
    readonly errorRatePercent: number;
  };
  /** The worst of the server's circuits; `none` without circuit breakers. */
  readonly circuitBreaker: {
    readonly open: boolean;
    readonly state: "closed" | "half-open" | "open" | "none";
    readonly tripCount: number;
    readonly failureCount: number;
    readonly secondsInState: number;
  };
  /** By name; with `detailedMetrics` only. */
  readonly tools?: Readonly<Record<string, ToolMetrics>>;
  /** Those that are open; with `detailedMetrics` only. */
  readonly connectionDetails?: readonly ConnectionMetrics[];
}

/** One tool in figures. */
export interface ToolMetrics {
  readonly requests: number;
  /** Requests that failed, results with `isError` left out. */
  readonly errors: number;
  /** Results with `isError`. */
  readonly toolErrors: number;
  readonly timing: Timing;
}

/** One open connection in figures. */
export interface ConnectionMetrics {
  /** Unique within its pool. */
  readonly id: number;
  readonly pool: string;
  readonly state: string;
  readonly inFlight: number;
  readonly room: number;
  readonly uses: number;
  readonly ageSeconds: number;
  readonly transport: string;
  readonly processId: number | undefined;
}

/** Everything in figures. */
export interface AllMetrics {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly global: {
    readonly totalServers: number;
    readonly totalConnections: number;
    readonly totalRequests: number;
    /** Requests that failed. */
    readonly totalErrors: number;
    /** `undefined` while the collector is attached to no manager. */
    readonly maxTotalConnections: number | undefined;
    readonly uptimeSeconds: number;
  };
  readonly servers: Readonly<Record<string, ServerMetrics>>;
}

/** How all servers do. */
export interface HealthSummary {
  /** `critical` when a server is critical or unavailable, `unavailable` when all are, `unknown` when nothing was tried yet. */
  readonly overallStatus: ServerHealthMetrics;
  readonly totalServers: number;
  readonly healthyServers: number;
  readonly warningServers: number;
  readonly criticalServers: number;
  readonly unavailableServers: number;
  readonly unknownServers: number;
  readonly servers: Readonly<Record<string, ServerHealthMetrics>>;
  readonly totalConnections: number;
  readonly totalRequests: number;
  readonly totalErrors: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}
