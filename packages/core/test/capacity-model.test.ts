import fc from "fast-check";
import { test } from "vitest";
import { CapacityRun, schedule } from "./capacity-model.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 400);
const SEED = Number(process.env.MODEL_SEED ?? 42);

test("five pools share a small cap, and nobody is stranded, under random schedules", {
  timeout: 3_600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(schedule, (each) => new CapacityRun(each).run()),
    { numRuns: RUNS, seed: SEED },
  );
});
