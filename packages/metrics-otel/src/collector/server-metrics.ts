import {
  CIRCUIT_BREAKER,
  type CircuitBreaker,
  HEALTH,
  type HealthMonitor,
  type PoolControl,
  type PoolStats,
} from "@mcp-pool/core";
import type { ConnectionMetrics, ServerHealthMetrics, ServerMetrics } from "./metrics.ts";
import type { ServerFigures } from "./server-figures.ts";

/** Connections of one server that get a row of their own. */
const MAX_CONNECTIONS = 1_000;

/** Puts what is known of a server together. */
export function serverMetrics(
  figures: ServerFigures,
  now: number,
  isDetailed: boolean,
  tags: readonly string[],
): ServerMetrics {
  const pools = [...figures.pools];
  const stats = pools.map((pool) => pool.stats());
  const sum = (pick: (stats: PoolStats) => number) => stats.reduce((total, each) => total + pick(each), 0);
  const { totals } = figures;
  const { created, destroyed, borrowed, returned, hits, misses, checksPerformed, checksFailed } = totals;
  const { connection, timeout, validation, poolExhausted, circuitOpen, tool } = totals;
  const served = hits + misses;
  const room = sum((each) => each.room);
  const active = sum((each) => each.connections.active);
  const utilizationPercent = room === 0 ? 0 : (100 * sum((each) => each.inFlight)) / room;
  const errorRatePercent = figures.errorRate.percent(now);
  const circuitBreaker = circuitMetrics(pools);
  const verdicts = pools.flatMap((pool) => (pool.plugin(HEALTH) as HealthMonitor | undefined)?.status ?? []);
  const lastChecks = verdicts.flatMap(({ lastCheckTime }) => lastCheckTime ?? []);
  const usable = sum(({ connections: { total, connecting, draining, closing } }) => {
    return total - connecting - draining - closing;
  });
  const measured = { errorRatePercent, utilizationPercent, isOpen: circuitBreaker.open };
  return {
    tags,
    connections: {
      total: sum((each) => each.connections.total),
      active,
      idle: sum((each) => each.connections.idle),
      failed: sum((each) => each.recentFailures),
      connecting: sum((each) => each.connections.connecting),
      waiting: sum((each) => each.waiting),
      min: sum((each) => each.connections.min),
      max: sum((each) => each.connections.max),
    },
    lifecycle: { created, destroyed, borrowed, returned },
    poolPerformance: {
      hits,
      misses,
      hitRatio: served === 0 ? 0 : hits / served,
      missRatio: served === 0 ? 0 : misses / served,
      utilizationPercent,
      peakActive: figures.peakActive(
        active,
        sum((each) => each.peakActive),
      ),
    },
    timing: {
      acquire: figures.acquire.timing(),
      create: figures.create.timing(),
      healthCheck: figures.healthCheck.timing(),
      request: figures.request.timing(),
    },
    health: {
      status: statusOf(figures.isReachable, usable > 0, measured),
      checksPerformed,
      checksFailed,
      consecutiveFailures: Math.max(0, ...verdicts.map((each) => each.consecutiveFailures)),
      lastCheck: lastChecks.length === 0 ? undefined : Math.max(...lastChecks),
      errorRatePercent,
    },
    errors: { connection, timeout, validation, poolExhausted, circuitOpen, tool },
    circuitBreaker,
    ...(isDetailed && { tools: figures.tools, connectionDetails: connectionRows(pools) }),
  };
}

/** Judges a server: first whether it can be reached at all, then how it does. */
function statusOf(
  isReachable: boolean | undefined,
  hasConnection: boolean,
  measured: { readonly errorRatePercent: number; readonly utilizationPercent: number; readonly isOpen: boolean },
): ServerHealthMetrics {
  if (isReachable === false && !hasConnection) return "unavailable";
  if (measured.isOpen || measured.errorRatePercent >= 20) return "critical";
  if (measured.errorRatePercent >= 10 || measured.utilizationPercent >= 90) return "warning";
  return isReachable === undefined ? "unknown" : "healthy";
}

const RANKS = { none: 0, closed: 1, "half-open": 2, open: 3 } as const;

function circuitMetrics(pools: readonly PoolControl[]): ServerMetrics["circuitBreaker"] {
  let worst: ServerMetrics["circuitBreaker"] = {
    open: false,
    state: "none",
    tripCount: 0,
    failureCount: 0,
    secondsInState: 0,
  };
  for (const pool of pools) {
    const breaker = pool.plugin(CIRCUIT_BREAKER) as CircuitBreaker | undefined;
    if (breaker === undefined) continue;
    const { state, tripCount, failureCount, timeInCurrentStateMs } = breaker.getStats();
    const isWorse = RANKS[state] > RANKS[worst.state];
    worst = {
      open: worst.open || state === "open",
      state: isWorse ? state : worst.state,
      tripCount: worst.tripCount + tripCount,
      failureCount: worst.failureCount + failureCount,
      secondsInState: isWorse ? timeInCurrentStateMs / 1_000 : worst.secondsInState,
    };
  }
  return worst;
}

function connectionRows(pools: readonly PoolControl[]): readonly ConnectionMetrics[] {
  const rows: ConnectionMetrics[] = [];
  for (const pool of pools) {
    const now = pool.clock.now();
    for (const { id, state, inFlight, room, uses, openedAt, endpoint } of pool.connections()) {
      if (rows.length >= MAX_CONNECTIONS) return rows;
      const ageSeconds = (now - openedAt) / 1_000;
      const { transport, processId } = endpoint;
      rows.push({ id, pool: pool.poolName, state, inFlight, room, uses, ageSeconds, transport, processId });
    }
  }
  return rows;
}
