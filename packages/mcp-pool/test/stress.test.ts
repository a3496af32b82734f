import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import type { StressReport } from "./programs/stress.ts";
import { temporaryFolder } from "./real-servers.ts";

const PROGRAM = fileURLToPath(new URL("programs/stress.ts", import.meta.url));

it("32 callers of real servers whose processes are hurt every 300 ms get their answers in time, and nothing runs twice or stays", {
  timeout: 120_000,
}, async () => {
  const reportPath = join(temporaryFolder(), "report.json");
  const orders = JSON.stringify({ workMs: 20_000, reportPath });
  const child = spawn(process.execPath, ["--expose-gc", PROGRAM, orders], { stdio: ["ignore", "inherit", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [code, signal] = await once(child, "exit");
  expect([code, signal], "the program ends by itself").toEqual([0, null]);
  const report: StressReport = JSON.parse(readFileSync(reportPath, "utf8"));
  expect(report.late, "every call settles by its deadline").toEqual([]);
  expect(report.wrong, "no call runs twice, nor against what its caller is told").toEqual([]);
  expect(report.left).toEqual({ processes: 0, files: 0, listeners: 0, timers: 0 });
  expect(report.heapGrowthBytes, "the heap is back").toBeLessThan(4 * 1024 * 1024);
  expect(Object.keys(report.hurts).length, "servers were hurt in many ways").toBeGreaterThan(4);
  expect(report.processes, "and replaced").toBeGreaterThan(20);
  expect(report.outcomes.ok, "most calls succeed all the same").toBeGreaterThan(report.calls / 2);
});
