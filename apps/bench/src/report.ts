import Table from "cli-table3";
import { median, ratioOf, ratioTo, type ScenarioResult } from "./measurement.ts";
import type { Target } from "./scenario.ts";

/** Writes one scenario as a table, and below it what was aimed at. */
export function describeResult(result: ScenarioResult): string {
  const { id, title, baseline, targets } = result.scenario;
  const table = new Table({
    head: ["", "median", "min", "max", `× ${baseline}`],
    colAligns: ["left", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const { contender, rounds } of result.measurements) {
    const [least, most] = [Math.min(...rounds), Math.max(...rounds)];
    table.push([
      contender,
      ...[median(rounds), least, most].map(duration),
      ratio(ratioTo(result, contender, [baseline])),
    ]);
  }
  return [`${id}: ${title}`, table.toString(), ...targets.map((target) => describeTarget(result, target)), ""].join(
    "\n",
  );
}

function describeTarget(result: ScenarioResult, target: Target): string {
  const seen = ratioOf(result, target);
  const { contender, against, atMost } = target;
  const other = against.length === 1 ? against[0] : `the fastest of ${against.join(", ")}`;
  return `  ${seen <= atMost ? "✔" : "✘"} ${contender}: ${ratio(seen)} × ${other}; aimed at: at most ${ratio(atMost)}`;
}

function duration(nanoseconds: number): string {
  if (nanoseconds < 1e4) return `${nanoseconds.toFixed(0)} ns`;
  return nanoseconds < 1e7 ? `${(nanoseconds / 1e3).toFixed(0)} µs` : `${(nanoseconds / 1e6).toFixed(0)} ms`;
}

function ratio(value: number): string {
  return value < 0.1 ? value.toPrecision(2) : value.toFixed(2);
}
