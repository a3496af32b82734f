import type { ChildProcess } from "node:child_process";
import { killGroupNow } from "./process-group.ts";

const children = new Set<ChildProcess>();

/** Sees to it that a child's group does not outlive our own process when that exits by itself. */
export function watchChild(child: ChildProcess): void {
  if (children.size === 0) process.on("exit", killAll);
  children.add(child);
}

/** Stops watching a child, once nothing of its group is left. */
export function unwatchChild(child: ChildProcess): void {
  if (children.delete(child) && children.size === 0) process.off("exit", killAll);
}

function killAll(): void {
  for (const child of children) killGroupNow(child);
}
