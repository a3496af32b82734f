import { PEERS, plainContenders, WITHOUT_TIMEOUT } from "../plain/contenders.ts";
import type { PlainPool } from "../plain/plain-pool.ts";
import type { Scenario } from "../scenario.ts";
import { timePerOperation } from "../time-per-operation.ts";

const WORKERS = 64;
const OBJECTS = 8;
const BATCH = WORKERS * 200;

/** At every moment 8 workers hold an object and 56 wait in line (in a shared pool, none has to). */
export const scenario: Scenario = {
  moduleUrl: import.meta.url,
  id: "A2",
  title: `acquire + release, ${WORKERS} workers on ${OBJECTS} objects`,
  baseline: "bare await",
  budgetMs: 1_000,
  contenders: plainContenders((makePool) => async (budgetMs) => {
    const pool = await makePool(OBJECTS);
    const time = await timePerOperation(budgetMs, BATCH, async (operations) => {
      await Promise.all(Array.from({ length: WORKERS }, () => work(pool, operations / WORKERS)));
    });
    await pool.close();
    return time;
  }),
  fullOnly: WITHOUT_TIMEOUT,
  targets: [
    { contender: "mcp-pool, exclusive", against: ["bare await"], atMost: 2 },
    { contender: "mcp-pool, shared", against: ["bare await"], atMost: 2 },
    { contender: "mcp-pool, exclusive", against: PEERS, atMost: 1 / 3 },
  ],
};

async function work(pool: PlainPool<unknown>, operations: number): Promise<void> {
  for (let operation = 0; operation < operations; operation++) pool.release(await pool.acquire());
}
