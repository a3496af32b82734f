import fc from "fast-check";
import { expect, test } from "vitest";
import { Coverage } from "./model/invariants.ts";
import { program } from "./model/program.ts";
import { ProgramRun } from "./model/run-program.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 2_000);
const SEED = Number(process.env.MODEL_SEED ?? 42);

test("the pool keeps its invariants under random programs", { timeout: 3_600_000 }, async () => {
  const coverage = new Coverage();
  await fc.assert(
    fc.asyncProperty(program, (each) => new ProgramRun(each, coverage).run()),
    { numRuns: RUNS, seed: SEED, endOnFailure: false },
  );
  expect(Math.min(...coverage.commands.values())).toBeGreaterThan(0);
});
