import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Scenario } from "./scenario.ts";

const CELL = fileURLToPath(new URL("./cell.ts", import.meta.url));
const TIMEOUT_MS = 120_000;

/** Measures one contender in a process of its own, and returns its figure. */
export async function runCell(
  moduleUrl: string,
  { id }: Scenario,
  contender: string,
  budgetMs: number,
): Promise<number> {
  const args = ["--expose-gc", CELL, moduleUrl, id, contender, String(budgetMs)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
  const { figure } = JSON.parse(stdout) as { readonly figure?: unknown };
  if (typeof figure !== "number") throw new Error(`${contender} in ${id} yielded ${stdout}`);
  return figure;
}
