import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** A process that this run has started, itself or through another one. */
export interface OwnProcess {
  readonly processId: number;
  readonly command: string;
}

interface ListedProcess extends OwnProcess {
  readonly parentId: number;
  readonly hasMark: boolean;
}

const MARK = "MCP_POOL_DEMO_RUN";

/**
 * Finds the processes of this run in the system's own list: our descendants, and, since orphans get another parent,
 * whatever has our mark in its environment (Linux) or was our descendant earlier (elsewhere).
 */
export class ProcessWatch {
  readonly #id = randomUUID();
  readonly #seen = new Map<number, string>();

  /** What marks a process of this run; its descendants inherit it. */
  get env(): Readonly<Record<string, string>> {
    return { [MARK]: this.#id };
  }

  /** Lists what is alive now; `undefined` where the system has no list that we can read. */
  alive(): readonly OwnProcess[] | undefined {
    const listed = process.platform === "linux" ? fromProc(`${MARK}=${this.#id}`) : fromPs();
    if (listed === undefined) return undefined;
    const descendants = new Set([process.pid]);
    for (let size = 0; size < descendants.size; ) {
      size = descendants.size;
      for (const { processId, parentId } of listed) if (descendants.has(parentId)) descendants.add(processId);
    }
    descendants.delete(process.pid);
    const own = listed.filter(({ processId, command, hasMark }) => {
      return hasMark || descendants.has(processId) || this.#seen.get(processId) === command;
    });
    for (const { processId, command } of own) this.#seen.set(processId, command);
    return own;
  }
}

/** Fields 2 to 4 of `/proc/<pid>/stat` are the name in brackets, the state and the parent (proc(5)). */
function fromProc(mark: string): ListedProcess[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      const [state, parentId] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || state === "X") return [];
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const hasMark = environmentOf(entry).includes(mark);
      return [{ processId: Number(entry), parentId: Number(parentId), command, hasMark }];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}

function environmentOf(entry: string): readonly string[] {
  try {
    return readFileSync(`/proc/${entry}/environ`, "utf8").split("\0");
  } catch {
    // A process of somebody else.
    return [];
  }
}

function fromPs(): ListedProcess[] | undefined {
  const { pid, status, stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,command="], { encoding: "utf8" });
  if (status !== 0) return undefined;
  return stdout.split("\n").flatMap((line) => {
    const [, processId, parentId, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || Number(processId) === pid) return [];
    return [{ processId: Number(processId), parentId: Number(parentId), command, hasMark: false }];
  });
}
