import { readFileSync } from "node:fs";

/** Tells whether a process runs; one that ended and waits for its parent, a zombie, does not. */
export function isProcessRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return stateOf(pid) !== "Z";
}

// An orphan stays a zombie for ever where the first process of a container does not wait for it.
function stateOf(pid: number): string | undefined {
  try {
    return /^\d+ \(.*\) (\w)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
