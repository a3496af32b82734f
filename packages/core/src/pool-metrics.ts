import { CIRCUIT_BREAKER, type CircuitBreaker } from "./circuit-breaker.ts";
import type { ManagedServer } from "./managed-server.ts";
import type { PoolStats } from "./stats.ts";

/** What core itself knows of one server, over all its pools; ready for JSON. Percentages run from 0 to 100, ratios from 0 to 1. */
export interface PoolMetrics {
  readonly connections: {
    readonly total: number;
    readonly active: number;
    readonly idle: number;
    /** Closed by a failure in the last five minutes. */
    readonly failed: number;
    readonly connecting: number;
    readonly waiting: number;
    readonly min: number;
    readonly max: number;
  };
  readonly lifecycle: {
    readonly created: number;
    readonly destroyed: number;
    readonly borrowed: number;
    readonly returned: number;
  };
  readonly poolPerformance: {
    readonly hits: number;
    readonly misses: number;
    readonly hitRatio: number;
    readonly missRatio: number;
    readonly utilizationPercent: number;
    readonly peakActive: number;
  };
  readonly errors: {
    readonly connection: number;
    readonly timeout: number;
    readonly validation: number;
    readonly poolExhausted: number;
    readonly circuitOpen: number;
    readonly tool: number;
  };
  /** There with the plugin of `@mcp-pool/breaker`. */
  readonly circuitBreaker?: {
    readonly open: boolean;
    readonly state: string;
    readonly tripCount: number;
    readonly failureCount: number;
    readonly secondsInState: number;
  };
}

/** Adds the snapshots of a server's pools up. */
export function serverMetrics(server: ManagedServer): PoolMetrics {
  const pools = [...server.pools()].map((pool) => pool.stats());
  const breaker = server.main.plugin(CIRCUIT_BREAKER) as CircuitBreaker | undefined;
  const sum = (pick: (stats: PoolStats) => number) => pools.reduce((total, stats) => total + pick(stats), 0);
  const hits = sum((stats) => stats.counters.hits);
  const misses = sum((stats) => stats.counters.misses);
  const served = hits + misses;
  const room = sum((stats) => stats.room);
  return {
    connections: {
      total: sum((stats) => stats.connections.total),
      active: sum((stats) => stats.connections.active),
      idle: sum((stats) => stats.connections.idle),
      failed: sum((stats) => stats.recentFailures),
      connecting: sum((stats) => stats.connections.connecting),
      waiting: sum((stats) => stats.waiting),
      min: sum((stats) => stats.connections.min),
      max: sum((stats) => stats.connections.max),
    },
    lifecycle: {
      created: sum((stats) => stats.counters.created),
      destroyed: sum((stats) => stats.counters.destroyed),
      borrowed: sum((stats) => stats.counters.borrowed),
      returned: sum((stats) => stats.counters.returned),
    },
    poolPerformance: {
      hits,
      misses,
      hitRatio: served === 0 ? 0 : hits / served,
      missRatio: served === 0 ? 0 : misses / served,
      utilizationPercent: room === 0 ? 0 : (100 * sum((stats) => stats.inFlight)) / room,
      peakActive: sum((stats) => stats.peakActive),
    },
    errors: {
      connection: sum((stats) => stats.counters.errors.connection),
      timeout: sum((stats) => stats.counters.errors.timeout),
      validation: sum((stats) => stats.counters.errors.validation),
      poolExhausted: sum((stats) => stats.counters.errors.poolExhausted),
      circuitOpen: sum((stats) => stats.counters.errors.circuitOpen),
      tool: sum((stats) => stats.counters.errors.tool),
    },
    ...(breaker && { circuitBreaker: breakerMetrics(breaker) }),
  };
}

function breakerMetrics(breaker: CircuitBreaker): NonNullable<PoolMetrics["circuitBreaker"]> {
  const { state, tripCount, failureCount, timeInCurrentStateMs } = breaker.getStats();
  return { open: state === "open", state, tripCount, failureCount, secondsInState: timeInCurrentStateMs / 1_000 };
}
