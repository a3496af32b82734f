/** What the checks of one pool's server have shown so far. */
export interface HealthStatus {
  /** `unknown` before the first check; `unhealthy` from the configured number of failed checks in a row on. */
  readonly status: "unknown" | "healthy" | "unhealthy";
  readonly checksPerformed: number;
  readonly checksFailed: number;
  readonly consecutiveFailures: number;
  readonly consecutivePasses: number;
  /** Milliseconds since the epoch. */
  readonly lastCheckTime: number | undefined;
  readonly lastDurationMs: number | undefined;
  /** Why the last check failed, if it did. */
  readonly lastError: string | undefined;
}

/** The handle of a pool's health checks; `@mcp-pool/health` fills it. */
export interface HealthMonitor {
  readonly status: HealthStatus;
  /** Whether the plugin probes in the background, so that an open circuit need not wait for a caller. */
  readonly isProbing: boolean;
  /** Checks now, whatever the traffic has shown; calls at one time share one check. Never rejects. */
  check(): Promise<HealthStatus>;
}

/** Name under which the plugin of the health checks installs its handle. */
export const HEALTH = "health";
