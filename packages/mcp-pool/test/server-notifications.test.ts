import { stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, test } from "vitest";
import type { McpPoolManager, ServerNotification } from "../src/index.ts";
import { managerOf } from "./real-servers.ts";
import { TRANSPORTS } from "./transports.ts";

const SLOW = { timeout: 60_000 };
/** Notifications come in their own time, and the machine may be busy. */
const PATIENT = { timeout: 20_000 };
const uri = "test://readme";

async function hasTool(manager: McpPoolManager, wanted: string): Promise<boolean> {
  const { tools } = await manager.listTools("server");
  return tools.some(({ name }) => name === wanted);
}

describe.each(Object.entries(TRANSPORTS))("over %s", SLOW, (_name, start) => {
  test("a changed list of tools is fetched again", async () => {
    const manager = await managerOf({ mcpServers: { server: await start() }, pool: { maxConnections: 1 } });
    expect(await hasTool(manager, "late")).toBe(false);
    await manager.callTool("server", { name: "change-tools", arguments: { name: "late" } });
    await expect.poll(() => hasTool(manager, "late"), PATIENT).toBe(true);
    expect(await manager.callTool("server", { name: "late" })).toMatchObject({ content: [{ text: "answer of late" }] });
  });

  test("an update of a resource reaches its subscriber", async () => {
    // On stdio each process has resources of its own, so there must be no second one.
    const manager = await managerOf({ mcpServers: { server: await start() }, pool: { maxConnections: 1 } });
    const heard: unknown[] = [];
    await manager.subscribeResource("server", { uri }, { onUpdated: (update) => heard.push(update) });
    // Over HTTP the stream that carries it may open later than the subscription: what changes before is not announced.
    await expect
      .poll(async () => {
        await manager.callTool("server", { name: "touch-resource", arguments: { uri } });
        return heard[0];
      }, PATIENT)
      .toEqual({ uri, isRestored: false });
  });

  test("log messages reach the lease on whose connection they come, from the level that was set", async () => {
    const manager = await managerOf({ mcpServers: { server: await start() } });
    await manager.setLoggingLevel("server", "error");
    const lease = await manager.acquire("server", { sharing: "exclusive" });
    const [ofLease, ofServer]: ServerNotification[][] = [[], []];
    lease.onNotification((notification) => ofLease?.push(notification));
    manager.onNotification("server", (notification) => ofServer?.push(notification));
    for (const level of ["info", "error"]) {
      await lease.client.callTool({ name: "log", arguments: { message: `${level}!`, level } });
    }
    await expect
      .poll(() => ofLease, PATIENT)
      .toMatchObject([
        { method: "notifications/message", params: { level: "info", data: "info!" } },
        { method: "notifications/message", params: { level: "error", data: "error!" } },
      ]);
    await expect.poll(() => ofServer?.length, PATIENT).toBe(2);
    lease.release();
  });
});

test("the level of log messages holds on every connection, also after a loss", SLOW, async () => {
  const manager = await managerOf({ mcpServers: { server: stdioTestServer() }, pool: { maxConnections: 1 } });
  const heard: unknown[] = [];
  manager.onNotification("server", ({ params }) => heard.push(params?.data));
  await manager.setLoggingLevel("server", "error");
  const log = async (level: string) => {
    const args = { message: level, level, standalone: true };
    await manager.callTool("server", { name: "log", arguments: args });
  };
  await log("info");
  await log("error");
  await expect.poll(() => heard, PATIENT).toEqual(["error"]);
  await manager.callTool("server", { name: "exit-after-answer" });
  await expect.poll(() => log("alert").then(() => heard.at(-1), String), PATIENT).toBe("alert");
  await log("info");
  await log("critical");
  await expect.poll(() => heard.at(-1), PATIENT).toBe("critical");
  expect(heard).not.toContain("info");
});

test(
  "a subscription is restored after a loss, and its subscriber is told that updates may be missing",
  SLOW,
  async () => {
    const manager = await managerOf({ mcpServers: { server: stdioTestServer() }, pool: { maxConnections: 1 } });
    const heard: unknown[] = [];
    await manager.subscribeResource("server", { uri }, { onUpdated: (update) => heard.push(update) });
    await manager.callTool("server", { name: "exit-after-answer" });
    await expect.poll(() => heard[0], PATIENT).toEqual({ uri, isRestored: true });
    await manager.callTool("server", { name: "touch-resource", arguments: { uri } });
    await expect.poll(() => heard[1], PATIENT).toEqual({ uri, isRestored: false });
  },
);

test("progress keeps a long call alive where its caller asks for that", SLOW, async () => {
  const manager = await managerOf({ mcpServers: { server: stdioTestServer() } });
  const params = { name: "progress", arguments: { steps: 10, delayMs: 300 } };
  await manager.listTools("server");
  const options = { timeoutMs: 2_000 };
  await expect(manager.callTool("server", params, options)).rejects.toMatchObject({ code: "TIMEOUT" });
  expect(await manager.callTool("server", params, { ...options, resetTimeoutOnProgress: true })).toMatchObject({
    content: [{ text: "took 10 steps" }],
  });
});
