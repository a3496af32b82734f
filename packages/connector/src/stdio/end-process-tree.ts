import type { ChildProcess } from "node:child_process";
import { hasExited, isGroupAlive, signalGroup } from "./process-group.ts";
import { Strays } from "./strays.ts";

/** How long each step of an ending may take, in milliseconds. */
export interface CloseTimeouts {
  /** After the end of stdin, until SIGTERM. @default 2000 */
  readonly stdinEndMs?: number | undefined;
  /** After SIGTERM, until SIGKILL. @default 2000 */
  readonly terminateMs?: number | undefined;
  /** After SIGKILL, until waiting is given up. @default 1000 */
  readonly killMs?: number | undefined;
}

/** {@link CloseTimeouts} with every default filled in. */
export type CloseBounds = { readonly [Step in keyof CloseTimeouts]-?: number };

/** How long the rest of a group may outlive its leader by itself: long enough to end together. */
const ORPHAN_GRACE_MS = 100;
const MIN_POLL_MS = 5;
const MAX_POLL_MS = 50;

/**
 * Ends a process and its descendants in the order the protocol asks for: end of stdin, SIGTERM, SIGKILL.
 * Resolves when none is alive, or when the last bound has passed.
 */
export async function endProcessTree(child: ChildProcess, timeouts: CloseBounds): Promise<void> {
  const strays = new Strays(child);
  strays.look();
  child.stdin?.end();
  if (await isGoneWithin(child, strays, timeouts.stdinEndMs, ORPHAN_GRACE_MS)) return;
  signalAll("SIGTERM");
  if (await isGoneWithin(child, strays, timeouts.terminateMs)) return;
  signalAll("SIGKILL");
  await isGoneWithin(child, strays, timeouts.killMs);

  function signalAll(signal: "SIGTERM" | "SIGKILL"): void {
    strays.look();
    signalGroup(child, signal);
    strays.signal(signal);
  }
}

/** @param orphanGraceMs How much of the time is left once the leader has exited. */
async function isGoneWithin(
  child: ChildProcess,
  strays: Strays,
  timeoutMs: number,
  orphanGraceMs = timeoutMs,
): Promise<boolean> {
  const latest = performance.now() + timeoutMs;
  if (!hasExited(child)) await exitWithin(child, timeoutMs);
  if (!hasExited(child)) return false;
  const deadline = Math.min(latest, performance.now() + orphanGraceMs);
  for (let delayMs = MIN_POLL_MS; isGroupAlive(child) || strays.isAlive; delayMs = Math.min(delayMs * 2, MAX_POLL_MS)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await sleep(Math.min(delayMs, leftMs));
  }
  return true;
}

function exitWithin(child: ChildProcess, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      child.off("exit", finish);
      resolve();
    };
    const timer = setTimeout(finish, timeoutMs);
    child.on("exit", finish);
  });
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
