import type { Contender, Scenario } from "../scenario.ts";
import { corePool, type EchoCaller, facadePool, sdkClient } from "../servers/echo-callers.ts";
import { timePerOperation } from "../time-per-operation.ts";

const BATCH = 50;

/** What the pool adds to a call that nothing delays. */
export const scenario: Scenario = {
  moduleUrl: import.meta.url,
  id: "B1",
  title: "tool call on one warm stdio connection, 1 at a time",
  baseline: "bare SDK client",
  budgetMs: 2_000,
  contenders: {
    "bare SDK client": contender(sdkClient),
    "core + connector": contender(corePool),
    "mcp-pool": contender(facadePool),
  },
  fullOnly: ["core + connector"],
  targets: [{ contender: "mcp-pool", against: ["bare SDK client"], atMost: 1.03 }],
};

function contender(open: () => Promise<EchoCaller>): Contender {
  return async (budgetMs) => {
    const caller = await open();
    const time = await timePerOperation(budgetMs, BATCH, async (operations) => {
      for (let operation = 0; operation < operations; operation++) await caller.call();
    });
    await caller.close();
    return time;
  };
}
