import { leastPool } from "../plain/floor.ts";
import { contend } from "../plain/plain-pool.ts";
import { processorTimePerOperation } from "../time-per-operation.ts";

/**
 * Shows what a long queue costs at the least (scenario A3): callers who outlive a scavenge of the garbage collector are copied
 * by it, twice, whatever the pool does. Run it with `node --expose-gc apps/bench/src/floors/long-queue.ts`, and again with
 * `--max-semi-space-size=256`, where nothing is copied.
 */
for (const callers of [1_000, 20_000, 100_000]) {
  const pool = await leastPool(8);
  const time = await processorTimePerOperation(1_500, callers, (operations) => contend(pool, callers, operations));
  console.log(`${callers} at once: ${time.toFixed(0)} ns per caller`);
}
