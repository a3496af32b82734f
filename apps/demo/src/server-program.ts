import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A program, ready to be spawned without a shell. */
export interface ServerProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * Finds the program of an installed npm package, so that nothing is looked up on the network as `npx` would.
 * @param manifestUrl where its `package.json` is
 */
export function serverProgram(manifestUrl: string, ...args: string[]): ServerProgram {
  const manifest = JSON.parse(readFileSync(new URL(manifestUrl), "utf8")) as { readonly bin?: unknown };
  const path = typeof manifest.bin === "string" ? manifest.bin : Object.values(manifest.bin ?? {})[0];
  if (typeof path !== "string") throw new Error(`there is no program in ${manifestUrl}`);
  return { command: process.execPath, args: [fileURLToPath(new URL(path, manifestUrl)), ...args] };
}
