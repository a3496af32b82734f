import { effectPool } from "../plain/effect-pool.ts";
import { bareAwait, leastPool } from "../plain/floor.ts";
import { mcpPool, mcpPoolOfObjects } from "../plain/mcp-pool-of-objects.ts";
import { genericPool, lightningPool, tarn } from "../plain/peers.ts";
import { ACQUIRE_TIMEOUT_MS, contend, type MakePlainPool } from "../plain/plain-pool.ts";
import type { Contender, Scenario } from "../scenario.ts";
import { processorTimePerOperation } from "../time-per-operation.ts";

const OBJECTS = 8;
const QUEUES = [1_000, 20_000, 100_000];
const POOLS: Readonly<Record<string, MakePlainPool>> = {
  "bare await": bareAwait,
  "least possible pool": leastPool,
  "mcp-pool": mcpPool("exclusive"),
  "generic-pool": genericPool(ACQUIRE_TIMEOUT_MS),
  "lightning-pool": lightningPool(ACQUIRE_TIMEOUT_MS),
  tarn: tarn(),
  "Effect Pool": effectPool(),
};

function queued(makePool: MakePlainPool, callers: number): Contender {
  return async (budgetMs) => {
    const pool = await makePool(OBJECTS);
    const time = await processorTimePerOperation(budgetMs, callers, (operations) => contend(pool, callers, operations));
    await pool.close();
    return time;
  };
}

const a3: Scenario = {
  id: "A3",
  title: `acquire + release, all at once on ${OBJECTS} objects, each held over an await, per caller`,
  unit: "ns",
  baseline: "bare await, 1 000 at once",
  budgetMs: 1_500,
  contenders: Object.fromEntries(
    Object.entries(POOLS).flatMap(([name, makePool]) =>
      QUEUES.map((callers) => [nameOf(name, callers), queued(makePool, callers)]),
    ),
  ),
  fullOnly: "all",
  targets: [{ contender: nameOf("mcp-pool", 100_000), against: [nameOf("mcp-pool", 1_000)], atMost: 1.5 }],
};

/** Bytes of the heap for each caller in line, its promise included. */
const a4: Scenario = {
  id: "A4",
  title: "heap per caller in line, with a deadline",
  unit: "bytes",
  baseline: "least possible pool",
  budgetMs: 1_000,
  contenders: Object.fromEntries(
    Object.entries(POOLS)
      .filter(([name]) => name !== "bare await" && name !== "Effect Pool")
      .map(([name, makePool]) => [name, bytesPerWaiter(makePool)]),
  ),
  fullOnly: [],
  targets: [{ contender: "mcp-pool", against: [], atMost: 350 }],
  notes: [
    "The least possible pool has no deadline. Effect's callers are fibers, whose memory is not that of the pool.",
  ],
};

function bytesPerWaiter(makePool: MakePlainPool): Contender {
  return async () => {
    const callers = 50_000;
    const pool = await makePool(1);
    const held = await pool.acquire();
    const waiting: unknown[] = Array.from({ length: callers }, () => undefined);
    const before = heapUsed();
    for (let caller = 0; caller < callers; caller++) waiting[caller] = swallow(pool.acquire());
    await new Promise((resolve) => setImmediate(resolve));
    const bytes = (heapUsed() - before) / callers;
    pool.release(held);
    return bytes;
  };
}

/** The pool is not closed in the end, so nobody looks at how the waiting ends. */
function swallow(promise: Promise<unknown>): Promise<unknown> {
  return promise;
}

function heapUsed(): number {
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Every second caller gives up while it waits; the others are served. */
const a5: Scenario = {
  id: "A5",
  title: "10 000 callers at once on 8 objects, every second one aborts, per caller",
  unit: "ns",
  baseline: "mcp-pool",
  budgetMs: 1_000,
  contenders: {
    "mcp-pool": async (budgetMs) => {
      const pool = await mcpPoolOfObjects(OBJECTS, "exclusive");
      return processorTimePerOperation(budgetMs, 10_000, async (operations) => {
        const controllers: AbortController[] = [];
        const work = async (signal: AbortSignal) => (await pool.acquire({ signal })).release();
        const all = Array.from({ length: operations }, () => {
          const controller = new AbortController();
          controllers.push(controller);
          return work(controller.signal);
        });
        for (let caller = 1; caller < operations; caller += 2) controllers[caller]?.abort();
        await Promise.allSettled(all);
      });
    },
    tarn: async (budgetMs) => {
      const { Pool } = await import("tarn");
      const pool = new Pool<object>({ create: async () => ({}), destroy: () => {}, min: OBJECTS, max: OBJECTS });
      return processorTimePerOperation(budgetMs, 10_000, async (operations) => {
        const pending = Array.from({ length: operations }, () => pool.acquire());
        const all = pending.map(({ promise }) => promise.then((held) => void pool.release(held)));
        for (let caller = 1; caller < operations; caller += 2) pending[caller]?.abort();
        await Promise.allSettled(all);
      });
    },
  },
  fullOnly: "all",
  targets: [],
  notes: ["generic-pool and lightning-pool cannot be told that a caller has gone."],
};

export const scenarios: readonly Scenario[] = [a3, a4, a5];

function nameOf(pool: string, callers: number): string {
  return `${pool}, ${callers.toLocaleString("en").replaceAll(",", " ")} at once`;
}
