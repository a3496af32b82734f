import type { HealthStatus } from "./health-monitor.ts";
import type { ManagedServer } from "./managed-server.ts";
import type { McpConnectionPool } from "./pool.ts";

/** What the checks of one server's pools have shown so far: of the pool that does worst, and of each by itself. */
export interface ServerHealth extends HealthStatus {
  /** By name of the pool, as in its stats and events: the server's own name, and `name#n` for identities, which are not told. */
  readonly pools: Readonly<Record<string, HealthStatus>>;
}

const UNKNOWN: HealthStatus = {
  status: "unknown",
  checksPerformed: 0,
  checksFailed: 0,
  consecutiveFailures: 0,
  consecutivePasses: 0,
  lastCheckTime: undefined,
  lastDurationMs: undefined,
  lastError: undefined,
};

/** Says what the checks of a server have shown so far. */
export function serverHealth(server: ManagedServer): ServerHealth {
  // Throws where no plugin checks anything, even if no identity has a pool yet.
  const { health } = server.main;
  const statuses = poolsIn(server).map((pool) => [pool.name, pool.health.status] as const);
  const own = server.definition.identityRequired ? UNKNOWN : health.status;
  return { ...statuses.map(([, status]) => status).reduce(worse, own), pools: Object.fromEntries(statuses) };
}

/** Checks a server now, and all its pools that have connections; a pool of an identity is not made to open one. */
export async function checkServerHealth(server: ManagedServer): Promise<ServerHealth> {
  const { health } = server.main;
  const asked = poolsIn(server).filter((pool) => pool === server.main || pool.stats().connections.total > 0);
  await Promise.all(asked.map((pool) => (pool === server.main ? health : pool.health).check()));
  return serverHealth(server);
}

/** Where an identity is required, the pool without one never has a connection, and so nothing to say. */
function poolsIn(server: ManagedServer): readonly McpConnectionPool[] {
  const pools = [...server.pools()];
  return server.definition.identityRequired ? pools.filter((pool) => pool !== server.main) : pools;
}

const RANKS = { unknown: 0, healthy: 1, unhealthy: 2 } as const;

/** Of two that do equally well, the one with more failures in a row speaks, and then the one that was there first. */
function worse(one: HealthStatus, other: HealthStatus): HealthStatus {
  const difference = RANKS[other.status] - RANKS[one.status] || other.consecutiveFailures - one.consecutiveFailures;
  return difference > 0 ? other : one;
}
