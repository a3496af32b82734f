import type { ServerRegistry } from "./server-registry.ts";
import type { PoolStats } from "./stats.ts";

/** A snapshot of a manager, ready for JSON. */
export interface ManagerStats {
  readonly totalConnections: number;
  readonly maxTotalConnections: number;
  readonly servers: Readonly<
    Record<
      string,
      { readonly priority: number; readonly tags: readonly string[]; readonly pools: readonly PoolStats[] }
    >
  >;
}

/** Takes a snapshot of all pools of a manager. */
export function managerStats(registry: ServerRegistry): ManagerStats {
  const servers = registry.all().map((server) => {
    const { priority = 0, tags = [] } = server.definition;
    return [server.name, { priority, tags, pools: [...server.pools()].map((pool) => pool.stats()) }] as const;
  });
  const { used: totalConnections, max: maxTotalConnections } = registry.cap;
  return { totalConnections, maxTotalConnections, servers: Object.fromEntries(servers) };
}
