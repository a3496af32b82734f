import { HEALTH, type HealthMonitor, type PoolControl } from "@mcp-pool/core";

/** What is counted of a server, and never goes down while nobody resets it. */
export interface ServerTotals {
  readonly created: number;
  readonly destroyed: number;
  readonly borrowed: number;
  readonly returned: number;
  readonly hits: number;
  readonly misses: number;
  readonly connection: number;
  readonly timeout: number;
  readonly validation: number;
  readonly poolExhausted: number;
  readonly circuitOpen: number;
  readonly tool: number;
  readonly checksPerformed: number;
  readonly checksFailed: number;
}

export const NOTHING: ServerTotals = {
  created: 0,
  destroyed: 0,
  borrowed: 0,
  returned: 0,
  hits: 0,
  misses: 0,
  connection: 0,
  timeout: 0,
  validation: 0,
  poolExhausted: 0,
  circuitOpen: 0,
  tool: 0,
  checksPerformed: 0,
  checksFailed: 0,
};

/** Reads the totals of one pool. */
export function totalsOf(pool: PoolControl): ServerTotals {
  const { counters } = pool.stats();
  const { created, destroyed, borrowed, returned, hits, misses, errors } = counters;
  const { connection, timeout, validation, poolExhausted, circuitOpen, tool } = errors;
  const health = (pool.plugin(HEALTH) as HealthMonitor | undefined)?.status;
  const { checksPerformed = 0, checksFailed = 0 } = health ?? {};
  const own = { created, destroyed, borrowed, returned, hits, misses, checksPerformed, checksFailed };
  return { ...own, connection, timeout, validation, poolExhausted, circuitOpen, tool };
}

export function add(one: ServerTotals, other: ServerTotals): ServerTotals {
  return combine(one, other, 1);
}

export function subtract(one: ServerTotals, other: ServerTotals): ServerTotals {
  return combine(one, other, -1);
}

function combine(one: ServerTotals, other: ServerTotals, sign: 1 | -1): ServerTotals {
  const keys = Object.keys(NOTHING) as (keyof ServerTotals)[];
  return Object.fromEntries(keys.map((key) => [key, one[key] + sign * other[key]])) as unknown as ServerTotals;
}
