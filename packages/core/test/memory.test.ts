import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

setFlagsFromString("--expose_gc");
const collectGarbage = runInNewContext("gc") as () => void;

const CYCLES = 20_000;
/** What a pool may keep of one cycle, in bytes; a waiter, a lease or a listener would be more. */
const PER_CYCLE_BYTES = 16;

describe("the heap is back at its baseline after 20 000 times", () => {
  it.each(["acquire and abort", "acquire and time out", "acquire and release"])("%s", async (what) => {
    const { pool, clock, recorder } = exclusivePool({ maxConnections: 1, maxWaiting: CYCLES, acquireTimeoutMs: 50 });
    recorder.stop();
    const lease = what === "acquire and release" ? undefined : await pool.acquire();
    // One signal that outlives all callers, as that of a server's request handler does.
    const longLived = new AbortController();
    const cycle = async (count: number) => {
      const controllers = Array.from({ length: count }, () => new AbortController());
      if (what === "acquire and abort") {
        const callers = controllers.map(({ signal }) => outcomeOf(pool.acquire({ signal })));
        for (const controller of controllers) controller.abort("enough");
        await clock.settle();
        expect(callers.every(({ state }) => state === "rejected")).toBe(true);
      } else if (what === "acquire and time out") {
        const callers = controllers.map(() => outcomeOf(pool.acquire({ signal: longLived.signal })));
        await clock.advance(50);
        expect(callers.every(({ state }) => state === "rejected")).toBe(true);
      } else {
        for (let each = 0; each < count; each++) (await pool.acquire({ signal: longLived.signal })).release();
      }
    };
    await cycle(CYCLES / 4);
    const before = heapUsed();
    for (let round = 0; round < 4; round++) await cycle(CYCLES / 4);
    await clock.settle();
    expect((heapUsed() - before) / CYCLES).toBeLessThan(PER_CYCLE_BYTES);
    lease?.release();
  });
});

function heapUsed(): number {
  for (let turn = 0; turn < 3; turn++) collectGarbage();
  return process.memoryUsage().heapUsed;
}
