import type { Contender } from "../scenario.ts";
import { effectPool } from "./effect-pool.ts";
import { bareAwait, leastPool } from "./floor.ts";
import { mcpPool } from "./mcp-pool-of-objects.ts";
import { genericPool, lightningPool, tarn } from "./peers.ts";
import { ACQUIRE_TIMEOUT_MS, type MakePlainPool } from "./plain-pool.ts";

const POOLS: Readonly<Record<string, MakePlainPool>> = {
  "bare await": bareAwait,
  "least possible pool": leastPool,
  "mcp-pool, exclusive": mcpPool("exclusive"),
  "mcp-pool, shared": mcpPool("shared"),
  "generic-pool, no time-out": genericPool(),
  "generic-pool": genericPool(ACQUIRE_TIMEOUT_MS),
  "lightning-pool, no time-out": lightningPool(),
  "lightning-pool": lightningPool(ACQUIRE_TIMEOUT_MS),
  tarn: tarn(),
  "Effect Pool, no time-out": effectPool(),
};

/** Names of those other pools whose callers wait with a time-out, as ours do. */
export const PEERS = ["generic-pool", "lightning-pool", "tarn"] as const;

/** Names of those whose callers would wait for ever, which is cheaper. */
export const WITHOUT_TIMEOUT = [
  "generic-pool, no time-out",
  "lightning-pool, no time-out",
  "Effect Pool, no time-out",
] as const;

/** Makes one contender of each pool. */
export function plainContenders(contenderOf: (makePool: MakePlainPool) => Contender): Record<string, Contender> {
  return Object.fromEntries(Object.entries(POOLS).map(([name, makePool]) => [name, contenderOf(makePool)]));
}
