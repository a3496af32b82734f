import { fileURLToPath } from "node:url";
import { rejectUnknownVariables } from "./server-environment.ts";

/** How to start a server in a process of its own. */
export interface ServerCommand {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** Gives the command of a server that speaks stdio; `env` scripts it. */
export function stdioTestServer(env: Readonly<Record<string, string>> = {}): ServerCommand {
  return commandOf("stdio.js", env);
}

/** Gives the command of a server that speaks HTTP and prints its `url`, `sseUrl`, `port` and `pid` as one line of JSON. */
export function httpTestServer(env: Readonly<Record<string, string>> = {}): ServerCommand {
  return commandOf("http.js", env);
}

// The built entries lie at the same distance from the sources as from the built files.
function commandOf(entry: string, env: Readonly<Record<string, string>>): ServerCommand {
  rejectUnknownVariables(env);
  const path = fileURLToPath(new URL(`../../dist/${entry}`, import.meta.url));
  return { command: process.execPath, args: [path], env: { ...env } };
}
