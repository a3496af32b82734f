/** Share of the budget that goes into the warm-up, so that the optimising compiler has done its work. */
const WARM_UP_SHARE = 0.4;

type RunBatch = (operations: number) => Promise<void> | void;

/** Runs batches until the time is up, and returns nanoseconds per operation. */
export function timePerOperation(budgetMs: number, batchSize: number, runBatch: RunBatch): Promise<number> {
  return measure(budgetMs, batchSize, runBatch, () => performance.now());
}

/**
 * The same in processor time of this thread, for what waits for nothing: other work on the machine disturbs it little.
 * The threads that help the garbage collector are left out, as they are beside the caller.
 */
export function processorTimePerOperation(budgetMs: number, batchSize: number, runBatch: RunBatch): Promise<number> {
  return measure(budgetMs, batchSize, runBatch, threadTimeMs);
}

async function measure(budgetMs: number, batchSize: number, runBatch: RunBatch, timeMs: () => number): Promise<number> {
  await runFor(budgetMs * WARM_UP_SHARE, batchSize, runBatch, timeMs);
  globalThis.gc?.();
  return runFor(budgetMs * (1 - WARM_UP_SHARE), batchSize, runBatch, timeMs);
}

/** Node.js 22 knows the time of the process only. */
function threadTimeMs(): number {
  const { cpuUsage, threadCpuUsage = cpuUsage } = process as typeof process & {
    readonly threadCpuUsage?: typeof process.cpuUsage;
  };
  const { user, system } = threadCpuUsage.call(process);
  return (user + system) / 1_000;
}

async function runFor(budgetMs: number, batchSize: number, runBatch: RunBatch, timeMs: () => number): Promise<number> {
  const startedAt = timeMs();
  let operations = 0;
  let elapsedMs = 0;
  do {
    await runBatch(batchSize);
    // Timers and whatever else a contender has put off are part of its cost.
    await new Promise((resolve) => setImmediate(resolve));
    operations += batchSize;
    elapsedMs = timeMs() - startedAt;
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
