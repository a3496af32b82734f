import { type ChildProcess, spawn as spawnChild, spawnSync } from "node:child_process";
import { processTable } from "./process-table.ts";

const isWindows = process.platform === "win32";

/** Signals a process and all its descendants; on Windows every signal ends them by force. */
export function signalGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (isWindows) {
    // Once the leader is gone, its process id may name another process.
    if (!hasExited(child))
      spawnChild("taskkill", taskkill(pid), { stdio: "ignore", windowsHide: true }).on("error", () => child.kill());
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left to be signalled.
  }
}

/** Ends a process and all its descendants at once, for use while our own process exits. */
export function killGroupNow(child: ChildProcess): void {
  if (!isWindows) {
    signalGroup(child, "SIGKILL");
  } else if (child.pid !== undefined && !hasExited(child)) {
    spawnSync("taskkill", taskkill(child.pid), { stdio: "ignore", windowsHide: true });
  }
}

/** Tells whether the process or, on POSIX, any member of its group is alive. Members that have died but are not reaped don't count. */
export function isGroupAlive(child: ChildProcess): boolean {
  const { pid } = child;
  if (pid === undefined) return false;
  if (!hasExited(child)) return true;
  if (isWindows) return false;
  try {
    process.kill(-pid, 0);
  } catch {
    // ESRCH: the group is empty. EPERM: what is left is not ours to signal (on macOS, it is what zombies answer).
    return false;
  }
  return hasRunningMember(pid);
}

export function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A container's first process often reaps orphans late or never, and `kill(2)` reaches those zombies. */
function hasRunningMember(leaderId: number): boolean {
  return processTable()?.some(({ groupId, isRunning }) => groupId === leaderId && isRunning) ?? true;
}

function taskkill(pid: number): string[] {
  return ["/pid", String(pid), "/T", "/F"];
}
