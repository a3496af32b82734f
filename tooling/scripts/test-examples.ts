import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { basename, dirname } from "node:path";

/** Longer than any example takes on a slow machine. */
const PATIENCE_MS = 120_000;

/** How a program ended. */
interface Run {
  readonly example: string;
  readonly isGood: boolean;
  readonly seconds: number;
}

/** Runs the program of every example, one after the other, and fails when one of them does. The packages must be built. */
const runs: Run[] = [];
for (const program of globSync("examples/*/src/main.ts").sort()) runs.push(await run(program));

const width = Math.max(...runs.map(({ example }) => example.length));
console.log("");
for (const { example, isGood, seconds } of runs) {
  console.log(`${isGood ? "✔" : "✘"} ${example.padEnd(width)} ${seconds.toFixed(1).padStart(6)} s`);
}
const failed = runs.filter(({ isGood }) => !isGood);
console.log(`\n${runs.length - failed.length} of ${runs.length} examples passed`);
if (failed.length > 0 || runs.length === 0) process.exitCode = 1;

function run(program: string): Promise<Run> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "pipe"] });
  const output: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => output.push(data));
  child.stderr.on("data", (data: Buffer) => output.push(data));
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      process.stdout.write(Buffer.concat(output));
      if (code !== 0) console.error(`${program} ended with ${signal ?? code}`);
      const seconds = (performance.now() - startedAt) / 1000;
      resolve({ example: basename(dirname(dirname(program))), isGood: code === 0, seconds });
    });
  });
}
