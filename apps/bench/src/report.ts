import Table from "cli-table3";
import { figure, ratio } from "./figures.ts";
import { figureOf, median, ratioTo, type ScenarioResult } from "./measurement.ts";
import type { Target } from "./scenario.ts";

/** Writes one scenario as a table, and below it what was aimed at. */
export function describeResult(result: ScenarioResult): string {
  const { id, title, baseline, targets, unit, notes = [] } = result;
  const table = new Table({
    head: ["", "median", "min", "max", `× ${baseline}`],
    colAligns: ["left", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const { contender, rounds } of result.measurements) {
    const figures = [median(rounds), Math.min(...rounds), Math.max(...rounds)];
    table.push([
      contender,
      ...figures.map((each) => figure(each, unit)),
      ratio(ratioTo(result, contender, [baseline])),
    ]);
  }
  const lines = targets.map((target) => `  ${isMet(result, target) ? "✔" : "✘"} ${describeTarget(result, target)}`);
  return [`${id}: ${title}`, table.toString(), ...lines, ...notes.map((note) => `  ${note}`), ""].join("\n");
}

/** Whether a target was met. */
export function isMet(result: ScenarioResult, target: Target): boolean {
  return figureOf(result, target) <= target.atMost;
}

/** Says what was aimed at and what came of it. */
export function describeTarget(result: ScenarioResult, target: Target): string {
  const seen = figureOf(result, target);
  const { contender, against, atMost } = target;
  if (against.length === 0) {
    return `${contender}: ${figure(seen, result.unit)}; aimed at: at most ${figure(atMost, result.unit)}`;
  }
  const other = against.length === 1 ? against[0] : `the best of ${against.join(", ")}`;
  return `${contender}: ${ratio(seen)} × ${other}; aimed at: at most ${ratio(atMost)}`;
}
