import { SingleBar } from "cli-progress";
import { drawCharts } from "./charts.ts";
import { isMeant, parseCommandLine } from "./command-line.ts";
import { environment } from "./environment.ts";
import { regressions } from "./regressions.ts";
import { describeResult, isMet } from "./report.ts";
import { type Run, readBaseline, saveBaseline, saveRun } from "./results.ts";
import { runScenarios } from "./run-scenarios.ts";
import { scenarios } from "./scenarios/index.ts";

const command = parseCommandLine(process.argv.slice(2));
const unknown = command.only.filter((name) => !scenarios.some(({ scenario }) => isMeant(scenario.id, name)));
if (unknown.length > 0) {
  const known = scenarios.map(({ scenario }) => scenario.id).join(", ");
  console.error(`--only: there is no scenario ${unknown.join(", ")}; there are ${known}`);
  process.exit(2);
}
const chosen = scenarios.filter(
  ({ scenario }) => command.only.length === 0 || command.only.some((name) => isMeant(scenario.id, name)),
);
const rounds = command.rounds ?? (command.isQuick ? 3 : 5);

const machine = environment();
console.log(`Node ${machine.node} on ${machine.platform}, ${machine.cpu}`);
console.log(
  Object.entries(machine.packages)
    .map(([name, version]) => `${name} ${version}`)
    .join(", "),
);
console.log("Every cell runs in a process of its own, in another order each round. Less is better.\n");
const warning = `The machine was busy with other work at the start (load ${machine.loadAverage.toFixed(1)}): distrust the figures.\n`;
if (machine.isBusy) console.log(warning);

const startedAt = performance.now();
const bar = new SingleBar({
  format: "{bar} {percentage} % | {value} of {total} cells | {duration_formatted}, {eta_formatted} to go | {what}",
  hideCursor: true,
  noTTYOutput: false,
});
const results = await runScenarios(chosen, {
  rounds,
  share: command.isQuick ? 0.2 : 1,
  isQuick: command.isQuick && command.only.length === 0,
  onCell: (done, total, what) => {
    if (done === 0) bar.start(total, 0, { what });
    else bar.update(done, { what });
    // Without a terminal there is no bar.
    if (!process.stderr.isTTY && done % Math.ceil(total / 10) === 0) console.log(`… ${done} of ${total} cells`);
  },
});
bar.stop();

const run: Run = { at: new Date().toISOString(), rounds, machine, scenarios: results };
for (const result of results) console.log(describeResult(result));
if (machine.isBusy) console.log(warning);
const missed = results.flatMap((result) => result.targets.filter((target) => !isMet(result, target)));
const aimed = results.reduce((sum, { targets }) => sum + targets.length, 0);
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
console.log(
  `${aimed - missed.length} of ${aimed} targets met, ${rounds} rounds in ${seconds} s; samples in ${saveRun(run)}`,
);
if (command.isStored) {
  saveBaseline(run);
  const charts = await drawCharts(results);
  console.log(`Stored as the baseline, with ${charts.length} charts. Run apps/bench/src/write-docs.ts to show it.`);
}
if (command.isCheck) {
  const worse = regressions(readBaseline().scenarios, results);
  for (const each of worse) console.error(`worse than the baseline beyond noise: ${each}`);
  if (worse.length > 0) process.exitCode = 1;
  else console.log("Nothing is worse than the baseline beyond noise.");
}
