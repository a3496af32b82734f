import type { McpConnectionManager } from "./manager.ts";

/** A manager, but for what depends on how its configuration is written. */
export type ProcessManager = Omit<McpConnectionManager, "addServer" | "reload">;

/** Makes, and later closes, the one manager of a process; the facade has one. */
export interface ProcessManagers {
  /** Returns the manager, and makes it at the first call. */
  get(): Promise<ProcessManager>;
}

/** The same for every copy of this package, so that a process has one manager even where several copies are installed. */
const SLOT = Symbol.for("mcp-pool.process-managers");

type Global = { [SLOT]?: ProcessManagers };

/** Returns what holds the manager of this process; `undefined` as long as nobody has claimed that. */
export function processManagers(): ProcessManagers | undefined {
  return (globalThis as Global)[SLOT];
}

/** Claims to hold the manager of this process. Returns who does: whoever claimed it first. */
export function claimProcessManagers<Own extends ProcessManagers>(own: Own): Own {
  const slot = globalThis as Global;
  slot[SLOT] ??= own;
  return slot[SLOT] as Own;
}
