import { McpConnectionManager, McpConnectionPool } from "@mcp-pool/core";
import { nothing } from "../plain/mcp-pool-of-objects.ts";
import type { Contender, Scenario } from "../scenario.ts";
import { processorTimePerOperation } from "../time-per-operation.ts";

/** A scenario whose contenders are sizes, for a chart. */
function growing(
  id: string,
  title: string,
  unit: Scenario["unit"],
  sizes: readonly number[],
  measure: (size: number) => Contender,
): Scenario {
  const [least = 1] = sizes;
  return {
    id,
    title,
    unit,
    baseline: String(least),
    budgetMs: 600,
    contenders: Object.fromEntries(sizes.map((size) => [String(size), measure(size)])),
    fullOnly: "all",
    targets: [],
  };
}

async function managerOf(pools: number): Promise<McpConnectionManager> {
  const pool = { minConnections: 1, maxConnections: 1, validateOnAcquire: false };
  const names = Array.from({ length: pools }, (_, index) => `server-${index}`);
  const servers = Object.fromEntries(names.map((name) => [name, { connector: nothing, pool }]));
  const manager = new McpConnectionManager({ servers, settings: { maxTotalConnections: pools } });
  await manager.warmUp();
  return manager;
}

async function poolOf(connections: number): Promise<McpConnectionPool> {
  const pool = new McpConnectionPool(nothing, {
    sharing: "exclusive",
    minConnections: connections,
    maxConnections: connections,
    maxWaiting: 1_000_000,
    acquireTimeoutMs: 3_600_000,
    validateOnAcquire: false,
  });
  await pool.warmUp();
  return pool;
}

function heapUsed(): number {
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const callsOver = (pools: number) => async (budgetMs: number) => {
  const manager = await managerOf(pools);
  const names = manager.servers();
  let next = 0;
  return processorTimePerOperation(budgetMs, 10_000, async (operations) => {
    for (let call = 0; call < operations; call++) await manager.callTool(names[next++ % pools] ?? "", { name: "any" });
  });
};

const memoryOf = (pools: number) => async () => {
  const before = heapUsed();
  const manager = await managerOf(pools);
  const bytes = (heapUsed() - before) / pools;
  if (manager.servers().length !== pools) throw new Error("a pool is missing");
  return bytes;
};

/** Each caller takes the connection that was used least recently: all are taken in turn. */
const leasesOn = (connections: number) => async (budgetMs: number) => {
  const pool = await poolOf(connections);
  return processorTimePerOperation(budgetMs, Math.max(connections, 10_000), async (operations) => {
    for (let done = 0; done < operations; done += connections) {
      const leases = [];
      for (let each = 0; each < connections; each++) leases.push(await pool.acquire());
      for (const lease of leases) lease.release();
    }
  });
};

/** A line of constant length: who is served goes to its end again. */
const linesOf = (waiting: number) => async (budgetMs: number) => {
  const pool = await poolOf(1);
  const batch = Math.max(waiting, 10_000);
  let left = 0;
  const work = async () => {
    while (left-- > 0) (await pool.acquire()).release();
  };
  return processorTimePerOperation(budgetMs, batch, async (operations) => {
    left = operations;
    await Promise.all(Array.from({ length: waiting }, work));
  });
};

export const scenarios: readonly Scenario[] = [
  growing("S/pools", "a call in turn over so many pools of one manager", "ns", [1, 10, 100, 1_000], callsOver),
  growing("S/pool-memory", "heap per pool with one connection", "bytes", [10, 100, 1_000], memoryOf),
  growing("S/connections", "acquire + release on so many connections", "ns", [1, 10, 100, 1_000, 10_000], leasesOn),
  growing("S/waiters", "acquire + release with so many callers", "ns", [10, 100, 1_000, 10_000, 100_000], linesOf),
];
