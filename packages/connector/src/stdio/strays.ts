import type { ChildProcess } from "node:child_process";
import { hasExited } from "./process-group.ts";
import { type ProcessEntry, processEntry, processTable } from "./process-table.ts";

/** How long a list of all processes serves, in milliseconds: many connections may close at one time. */
const FRESH_MS = 25;

/**
 * The descendants of a process that left its group: a browser that a server starts detached, say. They can be found while
 * their parents run, and on Linux only.
 */
export class Strays {
  readonly #leader: ChildProcess;
  /** When each was started, by process id. */
  readonly #known = new Map<number, string>();

  constructor(leader: ChildProcess) {
    this.#leader = leader;
  }

  /** Adds those that there are now. */
  look(): void {
    const { pid: leaderId } = this.#leader;
    const table = recentTable();
    if (leaderId === undefined || table === undefined) return;
    const isLeader = (pid: number): boolean => pid === leaderId && !hasExited(this.#leader);
    const children = new Map<number, ProcessEntry[]>();
    for (const entry of table) {
      const siblings = children.get(entry.parentId);
      if (siblings === undefined) children.set(entry.parentId, [entry]);
      else siblings.push(entry);
    }
    const members = table.filter(({ pid, groupId }) => isLeader(pid) || groupId === leaderId || this.#known.has(pid));
    for (const parent of members) {
      // The list grows as it is walked: children of children come later.
      for (const child of children.get(parent.pid) ?? []) {
        if (child.groupId === leaderId || this.#known.has(child.pid)) continue;
        this.#known.set(child.pid, child.startedAt);
        members.push(child);
      }
    }
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    for (const pid of this.#running()) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended, or changed its user.
      }
    }
  }

  get isAlive(): boolean {
    return this.#running().length > 0;
  }

  #running(): readonly number[] {
    return [...this.#known.keys()].filter((pid) => {
      const entry = processEntry(pid);
      const isRunning = entry?.isRunning === true && entry.startedAt === this.#known.get(pid);
      if (!isRunning) this.#known.delete(pid);
      return isRunning;
    });
  }
}

let latest: { readonly at: number; readonly table: readonly ProcessEntry[] | undefined } | undefined;

function recentTable(): readonly ProcessEntry[] | undefined {
  const now = performance.now();
  if (latest === undefined || now - latest.at > FRESH_MS) latest = { at: now, table: processTable() };
  return latest.table;
}
