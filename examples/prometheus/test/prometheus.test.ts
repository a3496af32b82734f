import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("runs, and serves what was called", { timeout: 120_000 }, async () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  expect(stdout).toMatch(/Echoes: 5, failed tools: 1, most connections: 10[\s\S]*an empty pool after the close/);
});
