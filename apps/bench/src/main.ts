import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { environment } from "./environment.ts";
import type { ScenarioResult } from "./measurement.ts";
import { describeResult } from "./report.ts";
import { runCell } from "./run-cell.ts";
import { scenarios } from "./scenarios/index.ts";

/** `--quick`: fewer and shorter rounds. `--only A1`: one scenario; may be given several times. */
const { values } = parseArgs({ options: { quick: { type: "boolean" }, only: { type: "string", multiple: true } } });
const { rounds, share } = values.quick === true ? { rounds: 3, share: 0.2 } : { rounds: 7, share: 1 };

const machine = environment();
console.log(`Node ${machine.node} on ${machine.platform}, ${machine.cpu}`);
console.log(
  Object.entries(machine.packages)
    .map(([name, version]) => `${name} ${version}`)
    .join(", "),
);
console.log("Every cell runs in a process of its own, in another order each round. Times are per operation.\n");

const results: ScenarioResult[] = scenarios
  .filter(({ id }) => values.only?.includes(id) ?? true)
  .map((scenario) => ({
    scenario,
    measurements: Object.keys(scenario.contenders)
      .filter((contender) => values.quick !== true || !scenario.fullOnly.includes(contender))
      .map((contender) => ({ contender, rounds: [] })),
  }));
const cells = results.flatMap(({ scenario, measurements }) => {
  return measurements.map((measurement) => ({ scenario, measurement }));
});

const startedAt = performance.now();
const warning = `The machine was busy with other work at the start (load ${machine.loadAverage.toFixed(1)}): distrust the figures.\n`;
if (machine.isBusy) console.log(warning);
for (let round = 0; round < rounds; round++) {
  for (const [index, { scenario, measurement }] of shuffled(cells).entries()) {
    showProgress(round, index, `${scenario.id}, ${measurement.contender}`);
    measurement.rounds.push(await runCell(scenario, measurement.contender, scenario.budgetMs * share));
  }
}
if (process.stdout.isTTY) process.stdout.write("\r\u001B[K");
for (const result of results) console.log(describeResult(result));
if (machine.isBusy) console.log(warning);
console.log(`${rounds} rounds in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s; figures in ${save()}`);

function showProgress(round: number, index: number, what: string): void {
  const text = `round ${round + 1} of ${rounds}, cell ${index + 1} of ${cells.length}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${text}: ${what}`);
  else if (index === 0) console.log(`… ${text}`);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** Writes all figures of all rounds, and returns the path. */
function save(): string {
  const at = new Date().toISOString();
  const folder = new URL("../results/raw/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL(`${at.replaceAll(/[:.]/g, "-")}.json`, folder);
  const scenarioResults = results.map(({ scenario: { id, title, baseline, targets }, measurements }) => {
    return { id, title, baseline, unit: "nanoseconds per operation", measurements, targets };
  });
  writeFileSync(file, `${JSON.stringify({ at, rounds, machine, scenarios: scenarioResults }, undefined, 2)}\n`);
  return fileURLToPath(file);
}
