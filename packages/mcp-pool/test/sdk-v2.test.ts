import { modernStdioServer, startModernHttpServer } from "@mcp-pool/modern-test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import type { McpPoolConfig, McpPoolManager } from "../src/index.ts";
import { managerOf } from "./real-servers.ts";

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
