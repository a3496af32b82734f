import { existsSync } from "node:fs";
import { chartName } from "./charts.ts";
import { figure, ratio } from "./figures.ts";
import { median, ratioTo, type ScenarioResult } from "./measurement.ts";
import { describeTarget, isMet } from "./report.ts";
import { chartPath, type Run } from "./results.ts";

/**
 * Puts what a run has shown between markers such as `<!-- bench A1 -->` and `<!-- /bench -->`. Known are the ids of
 * scenarios, `targets`, `machine`, and `ratio <scenario> | <contender> | <other>` within a line.
 * @throws an Error that names a marker that is not known
 */
export function fillIn(text: string, run: Run, resultsPath: string): string {
  return text.replaceAll(/(<!-- bench ([^>]+?) -->)([\s\S]*?)(<!-- \/bench -->)/g, (_all, open, what, _old, close) => {
    const content = contentOf(String(what), run, resultsPath);
    return `${open}${content.includes("\n") ? `\n\n${content}\n\n` : content}${close}`;
  });
}

function contentOf(what: string, run: Run, resultsPath: string): string {
  if (what === "machine") return machineOf(run);
  if (what === "targets") return targetsOf(run);
  if (what.startsWith("ratio ")) {
    const [id = "", contender = "", other = ""] = what
      .slice("ratio ".length)
      .split("|")
      .map((each) => each.trim());
    const value = ratioTo(scenarioOf(id, run), contender, [other]);
    if (Number.isNaN(value)) throw new Error(`<!-- bench ${what} --> names a contender that was not measured`);
    return value < 2 ? ratio(value) : value.toFixed(value < 20 ? 1 : 0);
  }
  return tableOf(scenarioOf(what, run), resultsPath);
}

function scenarioOf(id: string, { scenarios }: Run): ScenarioResult {
  const result = scenarios.find((each) => each.id === id);
  if (result === undefined) throw new Error(`<!-- bench ${id} --> names a scenario that was not measured`);
  return result;
}

function machineOf({ at, rounds, machine }: Run): string {
  const { node, platform, cpu, loadAverage, packages } = machine;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `Stored on ${at.slice(0, 10)}: Node ${node} on ${platform}, ${cpu}, ${rounds} rounds; load ${loadAverage.toFixed(1)} at the start.`,
    `${versions.join(", ")}.`,
  ].join("\n");
}

function targetsOf({ scenarios }: Run): string {
  const rows = scenarios.flatMap((result) =>
    result.targets.map(
      (target) => `| ${isMet(result, target) ? "yes" : "**no**"} | ${result.id} | ${describeTarget(result, target)} |`,
    ),
  );
  return ["| met | scenario | what came of it |", "| --- | --- | --- |", ...rows].join("\n");
}

function tableOf(result: ScenarioResult, resultsPath: string): string {
  const { id, title, baseline, unit, measurements, notes = [] } = result;
  const rows = measurements.map(({ contender, rounds }) => {
    const figures = [median(rounds), Math.min(...rounds), Math.max(...rounds)].map((each) => figure(each, unit));
    return `| ${[contender, ...figures, ratio(ratioTo(result, contender, [baseline]))].join(" | ")} |`;
  });
  const chart = chartName(id);
  return [
    `**${id}**: ${title}`,
    "",
    `| | median | min | max | × ${baseline} |`,
    "| --- | ---: | ---: | ---: | ---: |",
    ...rows,
    ...(notes.length > 0 ? ["", ...notes] : []),
    ...(existsSync(chartPath(chart)) ? ["", `![${id}](${resultsPath}${chart}.svg)`] : []),
  ].join("\n");
}
