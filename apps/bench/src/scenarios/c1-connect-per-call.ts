import type { Contender, Scenario } from "../scenario.ts";
import { connectPerCall, type EchoCaller, facadePool } from "../servers/echo-callers.ts";
import { timePerOperation } from "../time-per-operation.ts";

/** What people do without a pool: start a process, call it, and end it. */
export const scenario: Scenario = {
  moduleUrl: import.meta.url,
  id: "C1",
  title: "tool call over stdio, one process per call against the pool",
  baseline: "connect per call",
  budgetMs: 1_000,
  contenders: { "connect per call": contender(connectPerCall, 1), "mcp-pool": contender(facadePool, 50) },
  fullOnly: [],
  targets: [{ contender: "mcp-pool", against: ["connect per call"], atMost: 1 / 500 }],
};

function contender(open: () => Promise<EchoCaller>, batch: number): Contender {
  return async (budgetMs) => {
    const caller = await open();
    const time = await timePerOperation(budgetMs, batch, async (operations) => {
      for (let operation = 0; operation < operations; operation++) await caller.call();
    });
    await caller.close();
    return time;
  };
}
