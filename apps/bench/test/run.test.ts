import { expect, test } from "vitest";
import { runScenarios } from "../src/run-scenarios.ts";
import { scenarios } from "../src/scenarios/index.ts";
import { writeDocs } from "../src/write-docs.ts";

const SOME = ["C3/connections", "A5"];

test("a tiny run measures every contender in a process of its own", { timeout: 60_000 }, async () => {
  const chosen = scenarios.filter(({ scenario }) => SOME.includes(scenario.id));
  const cells: string[] = [];
  const results = await runScenarios(chosen, {
    rounds: 1,
    share: 0.01,
    isQuick: false,
    onCell: (_done, _total, what) => cells.push(what),
  });
  expect(cells.toSorted()).toEqual([
    "A5, mcp-pool",
    "A5, tarn",
    "C3/connections, as few as can be",
    "C3/connections, mcp-pool",
  ]);
  expect(results.map(({ id }) => id).toSorted()).toEqual(SOME.toSorted());
  expect(results.find(({ id }) => id === "C3/connections")?.measurements).toEqual([
    { contender: "as few as can be", rounds: [7] },
    { contender: "mcp-pool", rounds: [7] },
  ]);
  const storm = results.find(({ id }) => id === "A5")?.measurements ?? [];
  for (const { rounds } of storm) expect(rounds.every((each) => each > 0)).toBe(true);
});

test("scenarios have names of their own, and their targets name contenders", () => {
  const ids = scenarios.map(({ scenario }) => scenario.id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { scenario } of scenarios) {
    const names = Object.keys(scenario.contenders);
    expect(names).toContain(scenario.id === "A3" ? "bare await, 1 000 at once" : scenario.baseline);
    for (const { contender, against } of scenario.targets)
      expect(names).toEqual(expect.arrayContaining([contender, ...against]));
  }
});

test("the pages show the figures of the stored run", () => {
  expect(writeDocs(false), "run `node apps/bench/src/write-docs.ts`").toEqual([]);
});
