import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ok, ScriptedConnector } from "@mcp-pool/core/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createPooledMcpTools,
  getMcpConnectionManager,
  getMetricsCollector,
  McpManagerConfig,
  shutdownMcpConnectionManager,
} from "../src/index.ts";
import { temporaryFolder } from "./real-servers.ts";

const SOURCE = { mcpServers: { a: { command: "a" } } };
const options = () => ({ connector: () => new ScriptedConnector() });

afterEach(() => shutdownMcpConnectionManager());

describe("the manager of the process", () => {
  it("is made once, for all who ask meanwhile and afterwards", async () => {
    const [first, second] = await Promise.all([
      getMcpConnectionManager(SOURCE, options()),
      getMcpConnectionManager(structuredClone(SOURCE), options()),
    ]);
    expect(first.servers()).toEqual(["a"]);
    expect(second).toBe(first);
    expect(await getMcpConnectionManager()).toBe(first);
  });

  it("needs a configuration first, and has one only", async () => {
    await expect(getMcpConnectionManager()).rejects.toThrow(/needs a configuration/);
    await expect(getMcpConnectionManager()).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
    const manager = await getMcpConnectionManager(SOURCE, options());
    const other = () => getMcpConnectionManager({ mcpServers: { b: { command: "b" } } }, options());
    await expect(other()).rejects.toThrow(/has another configuration/);
    await expect(other()).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
    expect(await getMcpConnectionManager()).toBe(manager);
  });

  it("has the configuration that was put in force last", async () => {
    const manager = await getMcpConnectionManager(SOURCE, options());
    const next = { mcpServers: { b: { command: "b" } } };
    await manager.reload(next);
    expect(await getMcpConnectionManager(structuredClone(next))).toBe(manager);
    await expect(getMcpConnectionManager(SOURCE)).rejects.toThrow(/has another configuration/);
    await expect(manager.reload({ mcpServers: { b: { command: "" } } })).rejects.toThrow("mcpServers.b.command");
    expect(await getMcpConnectionManager(next)).toBe(manager);
    expect(manager.config).toBe(next);
  });

  it("may be asked for by the path of its file, also after a reload", async () => {
    const path = join(temporaryFolder(), "mcp-pool.json");
    writeFileSync(path, JSON.stringify(SOURCE));
    const manager = await getMcpConnectionManager(path, options());
    const put = new McpManagerConfig({ mcpServers: { b: { command: "b" } } });
    await manager.reload(put);
    expect(await getMcpConnectionManager(path)).toBe(manager);
    expect(await getMcpConnectionManager(put)).toBe(manager);
    await expect(getMcpConnectionManager(`${path}.old`)).rejects.toThrow(/has another configuration/);
  });

  it("is closed by a shutdown, after which there is a new one", async () => {
    const connector = new ScriptedConnector();
    const first = await getMcpConnectionManager(SOURCE, { connector: () => connector });
    await first.callTool("a", { name: "echo" });
    await shutdownMcpConnectionManager({ drainTimeoutMs: 0 });
    expect(connector.live).toEqual([]);
    await expect(first.callTool("a", { name: "echo" })).rejects.toMatchObject({ code: "POOL_CLOSED" });
    const second = await getMcpConnectionManager({ mcpServers: { b: { command: "b" } } }, options());
    expect(second.servers()).toEqual(["b"]);
    await shutdownMcpConnectionManager();
    await shutdownMcpConnectionManager();
    await expect(getMcpConnectionManager()).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
  });

  it("may be asked for again after it could not be made", async () => {
    const bad = getMcpConnectionManager({ mcpServers: { a: { command: "" } } });
    const shutdown = shutdownMcpConnectionManager();
    await expect(bad).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
    await shutdown;
    await expect(getMcpConnectionManager({ mcpServers: { a: { command: "" } } })).rejects.toMatchObject({
      issues: [{ path: "mcpServers.a.command" }],
    });
    const manager = await getMcpConnectionManager(SOURCE, options());
    expect(manager.servers()).toEqual(["a"]);
  });
});

it("pooled tools that were given no manager use that of the process, whichever it is by then", async () => {
  const connector = new ScriptedConnector();
  connector.onRequest.always(ok({ tools: [{ name: "t", inputSchema: { type: "object" } }], content: [] }));
  const tools = createPooledMcpTools("a");
  await expect(tools.tools()).rejects.toThrow(/needs a configuration/);
  await getMcpConnectionManager(SOURCE, { connector: () => connector });
  const [tool] = await tools.tools();
  expect(tool?.name).toBe("a__t");
  await shutdownMcpConnectionManager({ drainTimeoutMs: 0 });
  await getMcpConnectionManager(SOURCE, { connector: () => connector });
  expect(await tool?.call()).toMatchObject({ content: [] });
  expect(await tools.tools()).toHaveLength(1);
});

it("a second copy of the package finds the same manager and the same collector", async () => {
  const first = await getMcpConnectionManager(SOURCE, options());
  vi.resetModules();
  const copy = await import("../src/index.ts");
  expect(copy.getMcpConnectionManager).not.toBe(getMcpConnectionManager);
  expect(await copy.getMcpConnectionManager()).toBe(first);
  expect(copy.getMetricsCollector()).toBe(getMetricsCollector());
  await copy.shutdownMcpConnectionManager();
  await expect(getMcpConnectionManager()).rejects.toThrow(/needs a configuration/);
});
