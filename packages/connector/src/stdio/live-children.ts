import type { ChildProcess } from "node:child_process";
import { onExit } from "signal-exit";
import { firstToHear } from "./first-to-hear.ts";
import { guardGroup, unguardGroup } from "./orphan-guard.ts";
import { killGroupNow } from "./process-group.ts";
import { Strays } from "./strays.ts";

const children = new Map<ChildProcess, { readonly isGuarded: boolean }>();
let unsubscribe: (() => void) | undefined;

/** Sees to it that a child's group does not outlive our own process, however that ends. */
export function watchChild(child: ChildProcess, isGuarded: boolean): void {
  // A signal that nobody else handles ends our process just as it would without us.
  unsubscribe ??= firstToHear(() => onExit(killAll));
  children.set(child, { isGuarded });
  if (isGuarded && child.pid !== undefined) guardGroup(child.pid);
}

/** Stops watching a child, once nothing of its group is left. */
export function unwatchChild(child: ChildProcess): void {
  const watched = children.get(child);
  if (watched === undefined) return;
  children.delete(child);
  if (watched.isGuarded && child.pid !== undefined) unguardGroup(child.pid);
  if (children.size > 0) return;
  unsubscribe?.();
  unsubscribe = undefined;
}

function killAll(): void {
  for (const child of children.keys()) {
    const strays = new Strays(child);
    strays.look();
    killGroupNow(child);
    strays.signal("SIGKILL");
  }
}
