import { spawn } from "node:child_process";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { McpConnection } from "@mcp-pool/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector, stdioConnector } from "../src/index.ts";
import { callTool, never, open, SLOW } from "./connecting.ts";

const packageFile = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/package.json"));
const entry = join(dirname(packageFile), "dist/index.js");

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts the server over HTTP and waits for its first words. */
async function startHttp(kind: "streamableHttp" | "sse"): Promise<number> {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port) };
  const child = spawn(process.execPath, [entry, kind], { env, stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => chunk.toString().includes(String(port)) && resolve());
    child.once("exit", (code) => reject(new Error(`server-everything exited with ${code}`)));
  });
  return port;
}

async function tryOut(connection: McpConnection): Promise<void> {
  expect(connection.server.name).toBe("mcp-servers/everything");
  expect(await callTool(connection, "echo", { message: "hi" })).toEqual({
    content: [{ type: "text", text: "Echo: hi" }],
  });
  const progress: number[] = [];
  const params = { name: "trigger-long-running-operation", arguments: { duration: 0.2, steps: 2 } };
  const onProgress = (report: { progress: number }): unknown => progress.push(report.progress);
  await connection.request("tools/call", params, { signal: never(), onProgress });
  expect(progress).toEqual([1, 2]);
  await connection.probe(never());
  await connection.close("idle");
}

describe("the reference server", SLOW, () => {
  test("works over stdio", async () => {
    await tryOut(await open(stdioConnector({ command: process.execPath, args: [entry, "stdio"] })));
  });

  test("works over Streamable HTTP", async () => {
    await tryOut(await open(httpConnector({ url: `http://127.0.0.1:${await startHttp("streamableHttp")}/mcp` })));
  });
});
