/** Where a circuit breaker stands. */
export type CircuitState = "closed" | "open" | "half-open";

/** A snapshot of a circuit breaker. */
export interface CircuitBreakerStats {
  readonly state: CircuitState;
  /** Whether the state was forced, and so stays until `reset()` or the opposite force. */
  readonly forced: boolean;
  readonly failureCount: number;
  readonly successCount: number;
  /** How often it has opened. */
  readonly tripCount: number;
  /** Milliseconds since the epoch. */
  readonly lastFailureTime: number | undefined;
  readonly lastStateChange: number | undefined;
  readonly timeSinceLastFailureMs: number | undefined;
  readonly timeInCurrentStateMs: number;
  readonly retryAfterMs: number | undefined;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The handle of a pool's circuit breaker; `@mcp-pool/breaker` fills it. */
export interface CircuitBreaker {
  readonly state: CircuitState;
  getStats(): CircuitBreakerStats;
  forceOpen(): void;
  forceClose(): void;
  reset(): void;
}

/** Name under which the circuit breaker's plugin installs its handle. */
export const CIRCUIT_BREAKER = "circuit-breaker";
