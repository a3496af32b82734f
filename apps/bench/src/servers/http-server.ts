import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { httpTestServer } from "@mcp-pool/test-server";

/** A Streamable HTTP server in a process of its own. */
export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a server and waits for its address. */
export async function startHttpServer(): Promise<HttpServer> {
  const { command, args, env } = httpTestServer();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "ignore"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { url } = JSON.parse(line) as { readonly url: string };
  return { url, close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
