import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { StdioServerConfig } from "../src/index.ts";

type ReferenceServer = "server-everything" | "server-filesystem" | "server-memory";

const MANIFESTS: Readonly<Record<ReferenceServer, string>> = {
  "server-everything": import.meta.resolve("@modelcontextprotocol/server-everything/package.json"),
  "server-filesystem": import.meta.resolve("@modelcontextprotocol/server-filesystem/package.json"),
  "server-memory": import.meta.resolve("@modelcontextprotocol/server-memory/package.json"),
};

/** Gives the command of a reference server from npm. */
export function referenceServer(name: ReferenceServer, ...args: readonly string[]): StdioServerConfig {
  return { command: process.execPath, args: [programOf(name), ...args] };
}

/** Starts `server-everything` over HTTP in a process of its own, which ends with the test. */
export async function startEverything(kind: "streamableHttp" | "sse"): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, [programOf("server-everything"), kind], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => chunk.toString().includes(String(port)) && resolve());
    child.once("exit", (code) => reject(new Error(`server-everything exited with ${code}`)));
  });
  return `http://127.0.0.1:${port}/${kind === "sse" ? "sse" : "mcp"}`;
}

/** Finds a server's program by its manifest, so that no shell or package manager is involved. */
function programOf(name: ReferenceServer): string {
  const manifest = fileURLToPath(MANIFESTS[name]);
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly bin: Readonly<Record<string, string>> };
  const [program] = Object.values(bin);
  if (program === undefined) throw new Error(`${name} has no program`);
  return join(dirname(manifest), program);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
