import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const CELL = fileURLToPath(new URL("./cell.ts", import.meta.url));
const TIMEOUT_MS = 120_000;

/** Measures one contender in a process of its own, and returns nanoseconds per operation. */
export async function runCell(scenarioId: string, contender: string, budgetMs: number): Promise<number> {
  const args = ["--expose-gc", CELL, scenarioId, contender, String(budgetMs)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
  const { nanoseconds } = JSON.parse(stdout) as { readonly nanoseconds?: unknown };
  if (typeof nanoseconds !== "number") throw new Error(`${contender} in ${scenarioId} yielded ${stdout}`);
  return nanoseconds;
}
