/** Share of the budget that goes into the warm-up, so that the optimising compiler has done its work. */
const WARM_UP_SHARE = 0.4;

/** Runs batches until the time is up, and returns nanoseconds per operation. */
export async function timePerOperation(
  budgetMs: number,
  batchSize: number,
  runBatch: (operations: number) => Promise<void> | void,
): Promise<number> {
  await runFor(budgetMs * WARM_UP_SHARE, batchSize, runBatch);
  globalThis.gc?.();
  return runFor(budgetMs * (1 - WARM_UP_SHARE), batchSize, runBatch);
}

async function runFor(
  budgetMs: number,
  batchSize: number,
  runBatch: (operations: number) => Promise<void> | void,
): Promise<number> {
  const startedAt = performance.now();
  let operations = 0;
  let elapsedMs = 0;
  do {
    await runBatch(batchSize);
    // Timers and whatever else a contender has put off are part of its cost.
    await new Promise((resolve) => setImmediate(resolve));
    operations += batchSize;
    elapsedMs = performance.now() - startedAt;
  } while (elapsedMs < budgetMs);
  return (elapsedMs * 1e6) / operations;
}

/** Runs a number of workers side by side, each of which does its part of the operations one after the other. */
export async function sideBySide(workers: number, operations: number, work: () => Promise<void>): Promise<void> {
  const each = async () => {
    for (let operation = 0; operation < operations / workers; operation++) await work();
  };
  await Promise.all(Array.from({ length: workers }, each));
}
