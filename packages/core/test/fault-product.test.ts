import { describe, expect, it } from "vitest";
import { ABORT_POINTS, type FaultCase, OUTCOMES, runFaultCase } from "./fault-product.ts";

const modes = ["shared", "exclusive"] as const;

/** Each way to open, probe, answer and close, with each other: 7 500 combinations with the moments at which callers abort. */
describe.each(modes)("every combination of faults on %s connections", { timeout: 120_000 }, (sharing) => {
  describe.each(Object.entries(ABORT_POINTS))("with a caller who %s", (_when, abortAfterMs) => {
    it.each(OUTCOMES)("answers everybody and keeps nothing, when the first connect is: %s", async (connect) => {
      let combinations = 0;
      const called = { connect: 0, probe: 0, request: 0, close: 0 };
      for (const probe of OUTCOMES) {
        for (const request of OUTCOMES) {
          for (const close of OUTCOMES) {
            combinations++;
            const each: FaultCase = { connect, probe, request, close, abortAfterMs, sharing };
            const calls = await runFaultCase(each).catch((cause: unknown) => {
              throw new Error(`${JSON.stringify(each)}: ${cause instanceof Error ? cause.message : String(cause)}`, {
                cause,
              });
            });
            for (const hook of ["connect", "probe", "request", "close"] as const) if (calls[hook] > 0) called[hook]++;
          }
        }
      }
      expect(combinations).toBe(125);
      expect(called, "each hook had its chance to fail").toEqual({
        connect: 125,
        probe: 125,
        request: 125,
        close: 125,
      });
    });
  });
});
