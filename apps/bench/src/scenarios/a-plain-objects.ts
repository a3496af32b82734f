import { PEERS, plainContenders, WITHOUT_TIMEOUT } from "../plain/contenders.ts";
import { mcpPoolOfObjects } from "../plain/mcp-pool-of-objects.ts";
import { contend, cycle } from "../plain/plain-pool.ts";
import type { Contender, Scenario } from "../scenario.ts";
import { processorTimePerOperation } from "../time-per-operation.ts";

const BATCH = 10_000;
const WORKERS = 64;
const OBJECTS = 8;

/** Without a promise: what a warm pool can do synchronously. */
const tryAcquire: Contender = async (budgetMs) => {
  const pool = await mcpPoolOfObjects(1, "exclusive");
  const time = await processorTimePerOperation(budgetMs, BATCH, (operations) => {
    for (let operation = 0; operation < operations; operation++) {
      const lease = pool.tryAcquire();
      if (lease === undefined) throw new Error("nobody else uses the pool, but it is taken");
      lease.release();
    }
  });
  await pool.close();
  return time;
};

/** Nobody ever waits. */
const a1: Scenario = {
  id: "A1",
  title: "acquire + release, one caller on one object",
  unit: "ns",
  baseline: "bare await",
  budgetMs: 1_000,
  contenders: {
    "mcp-pool, tryAcquire": tryAcquire,
    ...plainContenders((makePool) => async (budgetMs) => {
      const pool = await makePool(1);
      const time = await processorTimePerOperation(budgetMs, BATCH, (operations) => cycle(pool, 1, operations));
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
  notes: ["No peer lends synchronously; Effect's pool lends to fibers, so its figure is that of a fiber in a loop."],
};

/** At every moment 8 workers hold an object over an `await`, and 56 wait in line (in a shared pool, none has to). */
const a2: Scenario = {
  id: "A2",
  title: `acquire + release, ${WORKERS} workers on ${OBJECTS} objects, each held over an await`,
  unit: "ns",
  baseline: "bare await",
  budgetMs: 1_000,
  contenders: plainContenders((makePool) => async (budgetMs) => {
    const pool = await makePool(OBJECTS);
    const time = await processorTimePerOperation(budgetMs, WORKERS * 200, (operations) =>
      contend(pool, WORKERS, operations),
    );
    await pool.close();
    return time;
  }),
  fullOnly: WITHOUT_TIMEOUT,
  targets: [
    { contender: "mcp-pool, exclusive", against: ["bare await"], atMost: 2 },
    { contender: "mcp-pool, shared", against: ["bare await"], atMost: 2 },
    { contender: "mcp-pool, exclusive", against: PEERS, atMost: 1 / 3 },
  ],
  notes: ["In a shared pool nobody waits, since an object carries many; the peers know exclusive objects only."],
};

export const scenarios: readonly Scenario[] = [a1, a2];
