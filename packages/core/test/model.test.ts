import { expect, test } from "vitest";
import { checkModel } from "./model/check-model.ts";

/** Enough to find each of the bugs that it has found so far; `npm run test:model` runs it at any length. */
const RUNS = 4_000;
const SEED = 42;

test("the pool keeps its invariants under random programs", { timeout: 300_000 }, async () => {
  const { commands } = await checkModel(RUNS, SEED);
  expect(commands.get("acquire")).toBeGreaterThan(RUNS);
});
