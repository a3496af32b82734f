import { fileURLToPath } from "node:url";

/** How to start a server in a process of its own. */
export interface ModernServerCommand {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/**
 * Gives the command of a server over stdio. `MODERN_ONLY=1` has it refuse revisions before 2026-07-28; it writes a file
 * named `SPAWN_MARK` plus its process id when it starts.
 */
export function modernStdioServer(
  env: Readonly<Partial<Record<"MODERN_ONLY" | "SPAWN_MARK", string>>> = {},
): ModernServerCommand {
  // The built entry lies at the same distance from the sources as from the built files.
  const path = fileURLToPath(new URL("../dist/stdio.js", import.meta.url));
  return { command: process.execPath, args: [path], env: { ...env } };
}
