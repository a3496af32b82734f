import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Environment } from "./environment.ts";
import type { ScenarioResult } from "./measurement.ts";

/** One run of the benchmarks, with all samples. */
export interface Run {
  readonly at: string;
  readonly rounds: number;
  readonly machine: Environment;
  readonly scenarios: readonly ScenarioResult[];
}

const FOLDER = new URL("../results/", import.meta.url);

/** The run that README and docs show and that `--check` compares with. */
const BASELINE: string = fileURLToPath(new URL("baseline.json", FOLDER));

/** Writes a run, and returns the path. */
export function saveRun(run: Run): string {
  const folder = new URL("raw/", FOLDER);
  mkdirSync(folder, { recursive: true });
  const path = fileURLToPath(new URL(`${run.at.replaceAll(/[:.]/g, "-")}.json`, folder));
  write(path, run);
  return path;
}

/** Puts a run in the place of the stored one; scenarios that it has not measured stay as they were. */
export function saveBaseline(run: Run): void {
  const measured = new Set(run.scenarios.map(({ id }) => id));
  const kept = existsSync(BASELINE) ? readBaseline().scenarios.filter(({ id }) => !measured.has(id)) : [];
  write(BASELINE, { ...run, scenarios: [...run.scenarios, ...kept] });
}

/** Reads the stored run. @throws an Error when there is none */
export function readBaseline(): Run {
  return JSON.parse(readFileSync(BASELINE, "utf8")) as Run;
}

/** Path of a chart beside the stored run. */
export function chartPath(name: string): string {
  return fileURLToPath(new URL(`${name}.svg`, FOLDER));
}

function write(path: string, run: Run): void {
  writeFileSync(path, `${JSON.stringify(run, undefined, 1)}\n`);
}
