import { readdirSync, readFileSync } from "node:fs";

/** One process, as `/proc/<pid>/stat` of Linux describes it (proc(5)). */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentId: number;
  readonly groupId: number;
  /** Whether it has not died; dead ones stay listed until they are reaped. */
  readonly isRunning: boolean;
  /** Tells a process from a later one with the same id. */
  readonly startedAt: string;
}

/** Lists all processes; undefined where the system has no `/proc`. */
export function processTable(): readonly ProcessEntry[] | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (processEntry(Number(name)) ?? []) : []));
  } catch {
    return undefined;
  }
}

/** Looks one process up. */
export function processEntry(pid: number): ProcessEntry | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The name, the second field, may hold spaces and brackets. After it: 3 state, 4 parent, 5 group, 22 start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group] = fields;
  return {
    pid,
    parentId: Number(parent),
    groupId: Number(group),
    isRunning: state !== "Z" && state !== "X",
    startedAt: fields[19] ?? "",
  };
}
