import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { modernStdioServer, startModernHttpServer } from "@mcp-pool/modern-test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import type { McpPoolConfig, McpPoolManager } from "../src/index.ts";
import { managerOf, temporaryFolder } from "./real-servers.ts";

const SLOW = { timeout: 60_000 };
const EVENTUALLY = { timeout: 20_000 };

function onV2(mcpServers: McpPoolConfig["mcpServers"], pool: McpPoolConfig["pool"] = {}): Promise<McpPoolManager> {
  return managerOf({ mcpServers, pool, settings: { sdk: "v2" } });
}

async function modernServer() {
  const server = await startModernHttpServer();
  onTestFinished(() => server.stop());
  return server;
}

/** Path of a program of a package that is installed. */
function program(name: string): string {
  const manifest = fileURLToPath(import.meta.resolve(`@modelcontextprotocol/${name}/package.json`));
  return join(dirname(manifest), "dist/index.js");
}

describe("settings.sdk: v2", SLOW, () => {
  test("pools a modern server over HTTP: many calls, one question, and lists that follow announcements", async () => {
    const server = await modernServer();
    const manager = await onV2(
      { modern: { url: server.url.href } },
      { maxConnections: 4, maxRequestsPerConnection: 16 },
    );
    const messages = Array.from({ length: 200 }, (_, index) => `message ${index}`);
    const answers = await Promise.all(
      messages.map((message) => manager.callTool("modern", { name: "echo", arguments: { message } })),
    );
    expect(answers).toMatchObject(messages.map((text) => ({ content: [{ text }] })));
    expect(manager.pool("modern").stats().connections.total).toBeGreaterThan(1);
    expect(server.requests.get("server/discover")).toBe(1);

    const names = async () => (await manager.listTools("modern")).tools.map(({ name }) => name);
    expect(await names()).not.toContain("extra");
    await expect.poll(() => server.openResponses("subscriptions/listen"), EVENTUALLY).toBe(1);
    server.addTool("extra");
    await expect.poll(names, EVENTUALLY).toContain("extra");
    expect(server.openResponses("subscriptions/listen")).toBe(1);
  });

  test("gets over a restart of a modern server, and hears it again", async () => {
    const server = await modernServer();
    const manager = await onV2({ modern: { url: server.url.href } });
    await manager.listTools("modern");
    await expect.poll(() => server.openResponses("subscriptions/listen"), EVENTUALLY).toBe(1);
    await server.stop();
    const calls = Array.from({ length: 50 }, () =>
      manager.callTool("modern", { name: "count" }, { idempotent: true, timeoutMs: 20_000 }),
    );
    await server.start();
    expect(await Promise.all(calls)).toHaveLength(50);
    await expect.poll(() => server.openResponses("subscriptions/listen"), EVENTUALLY).toBe(1);
    server.addTool("extra");
    const names = async () => (await manager.listTools("modern")).tools.map(({ name }) => name);
    await expect.poll(names, EVENTUALLY).toContain("extra");
  });

  test("answers what a modern server asks with the handlers of the call, on a shared connection", async () => {
    const manager = await onV2({ modern: modernStdioServer() }, { maxConnections: 1 });
    const ask = (who: string) =>
      manager.callTool(
        "modern",
        { name: "ask", arguments: { question: who } },
        { handlers: { elicitation: () => ({ action: "accept", content: { value: who } }) } },
      );
    const answers = await Promise.all(["ada", "bob", "cyd"].map(ask));
    expect(answers).toMatchObject(["ada", "bob", "cyd"].map((who) => ({ content: [{ text: `answered ${who}` }] })));
    expect(manager.pool("modern").stats().connections.total).toBe(1);
  });

  test("tells of a resource that changed, and checks the health of a server that knows no ping", async () => {
    const server = await modernServer();
    const manager = await onV2({ modern: { url: server.url.href } });
    const changed = new Promise<unknown>((resolve) => {
      manager.subscribe((event) => {
        if (event.type === "notification-received" && event.notification.method === "notifications/resources/updated") {
          resolve(event.notification.params);
        }
      });
    });
    await manager.subscribeResource("modern", { uri: "test://text" });
    server.changeResource("second");
    expect(await changed).toMatchObject({ uri: "test://text" });
    expect(await manager.readResource("modern", { uri: "test://text" })).toMatchObject({
      contents: [{ text: "second" }],
    });
    const asked = server.requests.get("server/discover") ?? 0;
    await manager.checkHealth("modern");
    expect(server.requests.get("server/discover")).toBeGreaterThan(asked);
    expect(server.requests.has("ping")).toBe(false);
  });
});

describe("on the 2.x SDK, the reference servers", SLOW, () => {
  test("everything works over stdio", async () => {
    const args = [program("server-everything"), "stdio"];
    const manager = await onV2({ everything: { command: process.execPath, args } });
    const { tools } = await manager.listTools("everything");
    expect(tools.length).toBeGreaterThan(5);
    expect(await echo(manager)).toMatchObject({ content: [{ text: "Echo: hi" }] });
  });

  test.each(["streamableHttp", "sse"])("everything works over %s", async (kind) => {
    const port = await freePort();
    const child = spawn(process.execPath, [program("server-everything"), kind], {
      env: { ...process.env, PORT: String(port) },
      stdio: ["ignore", "ignore", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    for (let said = ""; !said.includes(String(port)); ) said += String((await once(child.stderr, "data"))[0]);
    const url = `http://127.0.0.1:${port}/${kind === "sse" ? "sse" : "mcp"}`;
    const manager = await onV2({ everything: { url, type: kind === "sse" ? "sse" : "streamable-http" } });
    expect(await echo(manager)).toMatchObject({ content: [{ text: "Echo: hi" }] });
  });

  test("memory remembers", async () => {
    const env = { MEMORY_FILE_PATH: join(temporaryFolder(), "memory.json") };
    const args = [program("server-memory")];
    const manager = await onV2({ memory: { command: process.execPath, args, env } }, { maxConnections: 1 });
    const entities = [{ name: "Ada", entityType: "person", observations: ["counts"] }];
    await manager.callTool("memory", { name: "create_entities", arguments: { entities } });
    const graph = await manager.callTool("memory", { name: "read_graph", arguments: {} });
    expect(JSON.stringify(graph)).toContain("Ada");
  });

  test("filesystem reads what is there", async () => {
    const folder = join(temporaryFolder(), "files");
    mkdirSync(folder);
    writeFileSync(join(folder, "note.txt"), "hello from a file");
    const manager = await onV2({
      files: { command: process.execPath, args: [program("server-filesystem"), folder] },
    });
    const path = join(folder, "note.txt");
    const result = await manager.callTool("files", { name: "read_text_file", arguments: { path } });
    expect(JSON.stringify(result)).toContain("hello from a file");
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function echo(manager: McpPoolManager): Promise<unknown> {
  return manager.callTool("everything", { name: "echo", arguments: { message: "hi" } });
}
