import { type MakePoolBench, outcomeOf, type PoolBench, poolBenches, type Settled } from "@mcp-pool/core/testing";
import { onTestFinished } from "vitest";

export const poolBench: MakePoolBench = poolBenches(onTestFinished);

/** Runs a tool a number of times, one call after the other, and says how each ended. */
export async function callMany({ pool, clock }: PoolBench, count: number): Promise<Settled<unknown>[]> {
  const outcomes: Settled<unknown>[] = [];
  for (let index = 0; index < count; index++) {
    outcomes.push(outcomeOf(pool.request("tools/call", { name: "pay" })));
    await clock.settle();
    // A connection that was lost early is replaced after a pause.
    if (outcomes.at(-1)?.state === "pending") await clock.advance(1);
  }
  return outcomes;
}
