import type { Contender, Scenario } from "../scenario.ts";
import { corePool, type EchoCaller, facadePool, sdkClient } from "../servers/echo-callers.ts";
import { timePerOperation } from "../time-per-operation.ts";

const WORKERS = 64;
const BATCH = WORKERS * 10;

/** What the pool adds when one connection carries many calls; the time is that of all, divided by their number. */
export const scenario: Scenario = {
  moduleUrl: import.meta.url,
  id: "B1/64",
  title: `tool call on one warm stdio connection, ${WORKERS} at a time`,
  baseline: "bare SDK client",
  budgetMs: 2_000,
  contenders: {
    "bare SDK client": contender(sdkClient),
    "core + connector": contender(corePool),
    "mcp-pool": contender(facadePool),
  },
  fullOnly: ["core + connector"],
  targets: [{ contender: "mcp-pool", against: ["bare SDK client"], atMost: 1 / 0.97 }],
};

function contender(open: () => Promise<EchoCaller>): Contender {
  return async (budgetMs) => {
    const caller = await open();
    const time = await timePerOperation(budgetMs, BATCH, async (operations) => {
      await Promise.all(Array.from({ length: WORKERS }, () => work(caller, operations / WORKERS)));
    });
    await caller.close();
    return time;
  };
}

async function work(caller: EchoCaller, calls: number): Promise<void> {
  for (let call = 0; call < calls; call++) await caller.call();
}
