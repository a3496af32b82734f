import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("runs, and finds the pool's metrics and spans in the application's telemetry", { timeout: 120_000 }, async () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  expect(stdout).toMatch(/tools\/call echo[\s\S]*mcp\.client\.operation\.duration[\s\S]*application's own telemetry/);
});
