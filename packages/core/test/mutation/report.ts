/** Turns the result of a mutation run into docs/mutation.md, and fails where too few mutants were killed. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { REASONS, type Survivor } from "./reasons.ts";
import { SURVIVORS } from "./survivors.ts";
import { WAITING_SURVIVORS } from "./waiting-survivors.ts";

/** The part of the mutants of each file that the tests must kill, in percent. */
const LEAST_SCORE = 85;

interface Place {
  readonly line: number;
  readonly column: number;
}

interface Mutant {
  readonly status: "Killed" | "Timeout" | "Survived" | "NoCoverage" | "Ignored" | "RuntimeError" | "CompileError";
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

const resultPath = fileURLToPath(new URL("../../coverage/mutation.json", import.meta.url));
const pagePath = fileURLToPath(new URL("../../../../docs/mutation.md", import.meta.url));
const { files }: Report = JSON.parse(readFileSync(resultPath, "utf8"));

const problems: string[] = [];
const scores: string[] = [];
const survivors: string[] = [];
for (const [path, { source, mutants }] of Object.entries(files)) {
  const name = path.replace("src/", "");
  const killed = mutants.filter(({ status }) => status === "Killed" || status === "Timeout").length;
  const left = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const score = (100 * killed) / (killed + left.length);
  scores.push(`| \`${name}\` | ${killed + left.length} | ${killed} | ${score.toFixed(1)} % |`);
  if (score < LEAST_SCORE) problems.push(`${name}: ${score.toFixed(1)} % of the mutants were killed`);
  for (const mutant of left) survivors.push(rowOf(name, source, mutant));
}

writeFileSync(
  pagePath,
  [
    "# Mutation testing of core",
    "",
    "`npm run test:mutation` changes the pool's code in one place at a time, by [Stryker](https://stryker-mutator.io), and runs the tests of",
    "`packages/core` but the long random ones. A change that no test notices survives. The command writes this page, and fails when fewer than",
    `${LEAST_SCORE} % of a file's mutants are killed, or a survivor has no reason in \`packages/core/test/mutation\`.`,
    "",
    "| file | mutants | killed | score |",
    "| --- | --- | --- | --- |",
    ...scores,
    "",
    "## Survivors",
    "",
    ...Object.entries(REASONS).map(([reason, meaning]) => `- **${reason}**: ${meaning}`),
    "",
    "| file | code | becomes | reason |",
    "| --- | --- | --- | --- |",
    ...survivors,
    "",
  ].join("\n"),
);
for (const problem of problems) console.error(problem);
console.log(`${survivors.length} survivors in ${pagePath}`);
process.exitCode = problems.length > 0 ? 1 : 0;

function rowOf(name: string, source: string, { location: { start, end }, replacement = "" }: Mutant): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const original = lines
    .map((line, index) => line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined))
    .join("\n");
  const code = oneLine(lines[0] ?? "");
  const change = `${oneLine(original)} → ${oneLine(replacement)}`;
  const found: Survivor | undefined = [...SURVIVORS, ...WAITING_SURVIVORS].find(
    (each) => each.file === name && each.code === code && each.changes.includes(change),
  );
  if (found === undefined) problems.push(`no reason: ${JSON.stringify({ file: name, code, change })}`);
  const why = found === undefined ? "none yet" : `${found.reason}: ${found.why}`;
  return `| \`${name}\` | ${quoted(code)} | ${quoted(change)} | ${why} |`;
}

/** One line of code, cut to what a table can hold. */
function oneLine(code: string): string {
  const text = code.replaceAll(/\s+/g, " ").trim();
  return text.length > 90 ? `${text.slice(0, 89)}…` : text;
}

function quoted(code: string): string {
  return `\`${code.replaceAll("|", "\\|")}\``;
}
