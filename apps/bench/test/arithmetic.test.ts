import { describe, expect, test } from "vitest";
import { isMeant, parseCommandLine } from "../src/command-line.ts";
import { figure, ratio } from "../src/figures.ts";
import { fillIn } from "../src/markdown.ts";
import { figureOf, median, ratiosByRound, ratioTo, type ScenarioResult } from "../src/measurement.ts";
import { regressions } from "../src/regressions.ts";
import { describeResult, isMet } from "../src/report.ts";
import type { Run } from "../src/results.ts";

function resultOf(ours: readonly number[], reference: readonly number[] = [100, 110, 90]): ScenarioResult {
  return {
    id: "A1",
    title: "something",
    unit: "ns",
    baseline: "bare await",
    measurements: [
      { contender: "mcp-pool", rounds: ours },
      { contender: "bare await", rounds: reference },
      { contender: "tarn", rounds: [900, 1_000, 1_100] },
    ],
    targets: [{ contender: "mcp-pool", against: ["bare await", "tarn"], atMost: 2 }],
  };
}

function runOf(scenarios: readonly ScenarioResult[]): Run {
  const machine = {
    node: "v24.0.0",
    platform: "linux x64",
    cpu: "2 × any",
    loadAverage: 0,
    isBusy: false,
    packages: {},
  };
  return { at: "2026-11-22T00:00:00.000Z", rounds: 3, machine, scenarios };
}

describe("the arithmetic", () => {
  test("knows the median of odd and even numbers of rounds", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, Number.NaN]);
  });

  test("compares with the best of those a target names", () => {
    const result = resultOf([150, 200, 250]);
    expect(ratioTo(result, "mcp-pool", ["tarn"])).toBe(0.2);
    expect(figureOf(result, { contender: "mcp-pool", against: ["bare await", "tarn"], atMost: 2 })).toBe(2);
    expect(figureOf(result, { contender: "mcp-pool", against: [], atMost: 2 })).toBe(200);
  });

  test("compares round by round, so that what disturbs a round disturbs both", () => {
    expect(ratiosByRound(resultOf([200, 110, 270]), "mcp-pool", "bare await")).toEqual([1, 2, 3]);
  });

  test("meets a target that is just reached, and no other", () => {
    const [met, missed] = [resultOf([150, 200, 250]), resultOf([150, 201, 250])];
    expect(met.targets.map((target) => isMet(met, target))).toEqual([true]);
    expect(missed.targets.map((target) => isMet(missed, target))).toEqual([false]);
    expect(describeResult(missed)).toContain("✘ mcp-pool: 2.01 × the best of bare await, tarn; aimed at: at most 2.00");
  });

  test("writes figures in units that can be read", () => {
    const written = [
      figure(999, "ns"),
      figure(23_000, "ns"),
      figure(2e7, "ns"),
      figure(1.25, "ms"),
      figure(344, "bytes"),
    ];
    expect(written).toEqual(["999 ns", "23 µs", "20 ms", "1.3 ms", "344 B"]);
    expect([figure(26_400, "bytes"), figure(7, "count"), ratio(0.0123), ratio(1.5)]).toEqual([
      "26.4 kB",
      "7",
      "0.012",
      "1.50",
    ]);
  });
});

describe("a comparison with the stored run", () => {
  const stored = [resultOf([100, 120, 110])];

  test("finds what is worse in all rounds, by more than noise", () => {
    expect(regressions(stored, [resultOf([200, 230, 190])])).toEqual([
      "A1, mcp-pool: 2.09 × bare await, 1.09 × before",
    ]);
  });

  test("lets a machine be slower as a whole", () => {
    expect(regressions(stored, [resultOf([1_000, 1_200, 1_100], [1_000, 1_100, 900])])).toEqual([]);
  });

  test("lets one bad round pass, and everything that is better", () => {
    expect(regressions(stored, [resultOf([100, 900, 110])])).toEqual([]);
    expect(regressions(stored, [resultOf([50, 60, 55])])).toEqual([]);
  });

  test("says nothing of what was not measured then", () => {
    expect(regressions([], [resultOf([900, 900, 900])])).toEqual([]);
  });
});

describe("the command line", () => {
  test("takes scenarios by the beginning of their names", () => {
    expect(parseCommandLine(["--only", "A1,B", "--only", "C2", "--quick"])).toMatchObject({
      only: ["A1", "B", "C2"],
      isQuick: true,
    });
    expect(["A1", "A", "a1", "B/stdio", "B"].map((name) => isMeant("A1", name))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(["B/stdio/1", "B/stdio", "B", "B/st"].map((name) => isMeant("B/stdio/1", name))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  test("takes no number for the beginning of another", () => {
    expect([isMeant("B/stdio/16", "B/stdio/1"), isMeant("A10", "A1")]).toEqual([false, false]);
  });

  test("refuses rounds that are none", () => {
    expect(() => parseCommandLine(["--rounds", "0"])).toThrow('--rounds must be a whole number above 0, not "0"');
  });
});

describe("the pages", () => {
  const run = runOf([resultOf([150, 200, 250])]);

  test("get figures between markers, and nothing else", () => {
    const page = "before <!-- bench ratio A1 | tarn | mcp-pool -->old<!-- /bench --> after";
    expect(fillIn(page, run, "")).toBe("before <!-- bench ratio A1 | tarn | mcp-pool -->5.0<!-- /bench --> after");
    const table = fillIn("<!-- bench targets --><!-- /bench -->", run, "");
    expect(table).toContain("| yes | A1 | mcp-pool: 2.00 × the best of bare await, tarn; aimed at: at most 2.00 |");
    expect(fillIn(table, run, "")).toBe(table);
  });

  test("must not ask for what was not measured", () => {
    expect(() => fillIn("<!-- bench Z9 --><!-- /bench -->", run, "")).toThrow(/Z9/);
    expect(() => fillIn("<!-- bench ratio A1 | tarn | nobody --><!-- /bench -->", run, "")).toThrow(/nobody/);
  });
});
