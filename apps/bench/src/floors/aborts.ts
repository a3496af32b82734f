import { processorTimePerOperation } from "../time-per-operation.ts";

/**
 * Shows what an abort storm costs before any pool comes in (scenario A5): a signal for each caller, a listener on it, a promise,
 * and `abort()` for every second one. Run it with `node --expose-gc apps/bench/src/floors/aborts.ts`.
 */
const CALLERS = 10_000;
const time = await processorTimePerOperation(1_500, CALLERS, async (operations) => {
  const callers: { readonly controller: AbortController; readonly end: () => void }[] = [];
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const controller = new AbortController();
      const { signal } = controller;
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      const end = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      callers.push({ controller, end });
    });
  const all = Array.from({ length: operations }, work);
  for (const [index, { controller, end }] of callers.entries()) {
    if (index % 2 === 1) controller.abort();
    else end();
  }
  await Promise.allSettled(all);
});
console.log(`signals, listeners and aborts, without a pool: ${time.toFixed(0)} ns per caller`);
