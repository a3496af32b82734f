import { readdirSync, readFileSync } from "node:fs";
import { isProcessRunning } from "@mcp-pool/test-server";
import { expect } from "vitest";

/** Lists the running processes with this text on their command line, or in their environment. */
export function processesWith(mark: string): readonly number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => read(`/proc/${entry}/cmdline`).includes(mark) || read(`/proc/${entry}/environ`).includes(mark))
    .map(Number)
    .filter((pid) => pid !== process.pid && isProcessRunning(pid));
}

/** Fails unless all these processes have ended. */
export function expectGone(pids: readonly number[]): void {
  expect(pids.filter(isProcessRunning)).toEqual([]);
}

/** Counts the child processes and sockets that could keep this process alive. */
export function activeHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => /Process|TCP|Connect/.test(name)).length;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
