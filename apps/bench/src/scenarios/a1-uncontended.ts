import { PEERS, plainContenders, WITHOUT_TIMEOUT } from "../plain/contenders.ts";
import { mcpPoolOfObjects } from "../plain/mcp-pool-of-objects.ts";
import type { Contender, Scenario } from "../scenario.ts";
import { timePerOperation } from "../time-per-operation.ts";

const BATCH = 10_000;

/** Without a promise: what a warm pool can do synchronously. */
const tryAcquire: Contender = async (budgetMs) => {
  const pool = await mcpPoolOfObjects(1, "exclusive");
  const time = await timePerOperation(budgetMs, BATCH, (operations) => {
    for (let operation = 0; operation < operations; operation++) {
      const lease = pool.tryAcquire();
      if (lease === undefined) throw new Error("nobody else uses the pool, but it is taken");
      lease.release();
    }
  });
  await pool.close();
  return time;
};

/** One caller, one object: nobody ever waits. */
export const scenario: Scenario = {
  moduleUrl: import.meta.url,
  id: "A1",
  title: "acquire + release, one caller on one object",
  baseline: "bare await",
  budgetMs: 1_000,
  contenders: {
    "mcp-pool, tryAcquire": tryAcquire,
    ...plainContenders((makePool) => async (budgetMs) => {
      const pool = await makePool(1);
      const time = await timePerOperation(budgetMs, BATCH, async (operations) => {
        for (let operation = 0; operation < operations; operation++) pool.release(await pool.acquire());
      });
      await pool.close();
      return time;
    }),
  },
  fullOnly: WITHOUT_TIMEOUT,
  targets: [
    { contender: "mcp-pool, tryAcquire", against: ["bare await"], atMost: 0.6 },
    { contender: "mcp-pool, exclusive", against: ["bare await"], atMost: 1.5 },
    { contender: "mcp-pool, shared", against: ["bare await"], atMost: 1.5 },
    { contender: "mcp-pool, exclusive", against: PEERS, atMost: 1 / 3 },
  ],
};
