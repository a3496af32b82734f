import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("runs, and asserts open, half-open, closed", { timeout: 120_000 }, async () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  expect(stdout).toMatch(/closed → open[\s\S]*open → half-open[\s\S]*half-open → closed/);
});
