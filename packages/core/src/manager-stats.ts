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
