import { existsSync, readFileSync } from "node:fs";

/** How often a request key was executed. */
export interface ExecutionCounts {
  readonly started: number;
  readonly ended: number;
  /** The processes that executed it, each once, in the order of their first execution. */
  readonly pids: readonly number[];
}

/** What the processes that shared a ledger file did. */
export interface LedgerReport {
  readonly counts: Readonly<Record<string, ExecutionCounts>>;
  /** The pid of every process that began, in order. */
  readonly processes: readonly number[];
  readonly entries: readonly LedgerEntry[];
}

/** One line of the file. */
export interface LedgerEntry {
  readonly event: "process" | "start" | "end";
  readonly key: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Reads a ledger file; a file that does not exist yet is an empty ledger. */
export function readLedger(path: string): LedgerReport {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const entries = text.split("\n").flatMap(parseLine);
  const counts = new Map<string, { started: number; ended: number; pids: Set<number> }>();
  for (const { event, key, pid } of entries) {
    if (event === "process") continue;
    const count = counts.get(key) ?? { started: 0, ended: 0, pids: new Set() };
    counts.set(key, count);
    if (event === "start") count.started++;
    else count.ended++;
    count.pids.add(pid);
  }
  return {
    entries,
    processes: entries.filter((entry) => entry.event === "process").map((entry) => entry.pid),
    counts: Object.fromEntries([...counts].map(([key, count]) => [key, { ...count, pids: [...count.pids] }])),
  };
}

function parseLine(line: string): LedgerEntry[] {
  const [event, key, pid, time] = line.split(" ");
  if (event !== "process" && event !== "start" && event !== "end") return [];
  if (key === undefined || pid === undefined || time === undefined) return [];
  return [{ event, key: decodeURIComponent(key), pid: Number(pid), time: Number(time) }];
}
