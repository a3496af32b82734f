import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createMcpPool,
  getMcpConnectionManager,
  loadMcpConfig,
  McpManagerConfig,
  type McpPoolManager,
  type McpPoolSource,
  shutdownMcpConnectionManager,
  watchMcpConfig,
} from "../src/index.ts";
import { eventually, temporaryFolder } from "./real-servers.ts";

const ECHO = { name: "echo", arguments: { message: "hi" } };
const SLOW = { timeout: 60_000 };

function fileOf(text: string, name = "mcp-pool.yaml"): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

async function managerOf(source: McpPoolSource | undefined, env: Record<string, string> = {}): Promise<McpPoolManager> {
  const manager = await createMcpPool(source, { env });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

const YAML = `
mcpServers: { a: ${JSON.stringify(stdioTestServer())} }
pool: { min_connections: 0, max_connections: 3 }
server_configs: { a: { tags: [x], priority: 2 } }
`;

describe("a manager", SLOW, () => {
  it("is made from the path of a file", async () => {
    const manager = await managerOf(fileOf(YAML));
    expect(await manager.callTool("a", ECHO)).toMatchObject({ content: [{ text: "hi" }] });
    expect(manager.servers({ tag: "x" })).toEqual(["a"]);
    expect(manager.stats().servers.a).toMatchObject({ priority: 2 });
    expect(manager.pool("a").stats().connections.max).toBe(3);
  });

  it("is made from the file that MCP_CONFIG_PATH names", async () => {
    const manager = await managerOf(undefined, { MCP_CONFIG_PATH: fileOf(YAML) });
    expect(await manager.callTool("a", ECHO)).toMatchObject({ content: [{ text: "hi" }] });
  });

  it("is made from an mcp.json alone", async () => {
    const manager = await managerOf(fileOf(JSON.stringify({ servers: { a: stdioTestServer() } }), "mcp.json"));
    expect(await manager.callTool("a", ECHO)).toMatchObject({ content: [{ text: "hi" }] });
  });

  it("is made from a configuration that was put together, and added to", async () => {
    const config = new McpManagerConfig({ pool: { minConnections: 0 } }, { env: {} });
    config.addServerConfig({ serverName: "a", ...stdioTestServer(), tags: ["y"] });
    const manager = await managerOf(config);
    expect(await manager.callTool("a", ECHO)).toMatchObject({ content: [{ text: "hi" }] });
    manager.addServer("b", { ...stdioTestServer(), priority: 3 });
    expect(await manager.callTool("b", ECHO)).toMatchObject({ content: [{ text: "hi" }] });
    expect(manager.pool("b").stats().connections.min).toBe(0);
    await manager.reload(config.addServerConfig({ serverName: "c", ...stdioTestServer() }));
    expect(manager.servers()).toEqual(["a", "c"]);
  });

  it("is refused with file, line and column", async () => {
    const path = fileOf("mcpServers:\n  a: { command: a }\npool: { max_connections: 0 }\n");
    await expect(createMcpPool(path, { env: {} })).rejects.toMatchObject({
      code: "INVALID_CONFIGURATION",
      issues: [{ file: path, line: 3, column: 26, path: "pool.max_connections" }],
    });
  });

  it("is refused for a file without servers", async () => {
    await expect(createMcpPool(fileOf("pool: {}"), { env: {} })).rejects.toThrow(/mcpServers: is missing/);
    await expect(createMcpPool(new McpManagerConfig({}, { env: {} }))).rejects.toThrow(/mcpServers: is missing/);
  });

  it("follows its file while that is watched", async () => {
    const path = fileOf(YAML);
    const manager = await managerOf(path);
    const watcher = await watchMcpConfig(path, manager, { env: {}, quietMs: 50 });
    onTestFinished(() => watcher.close());
    writeFileSync(path, YAML.replace("max_connections: 3", "max_connections: 7"));
    expect(await eventually(() => manager.pool("a").stats().connections.max === 7)).toBe(true);
    writeFileSync(path, YAML.replace("mcpServers: { a:", "mcpServers: { b:").replace("{ a: { tags", "{ b: { tags"));
    expect(await eventually(() => manager.servers().join() === "b")).toBe(true);
  });

  it("of the process may have the same sources", async () => {
    const path = fileOf(YAML);
    onTestFinished(() => shutdownMcpConnectionManager());
    const manager = await getMcpConnectionManager(undefined, { env: { MCP_CONFIG_PATH: path } });
    expect(await getMcpConnectionManager()).toBe(manager);
    await expect(getMcpConnectionManager(path)).rejects.toThrow(/another configuration/);
    await shutdownMcpConnectionManager();
    const config = await loadMcpConfig({ path, env: {} });
    const made = await getMcpConnectionManager(config);
    expect(await getMcpConnectionManager(config)).toBe(made);
    await expect(getMcpConnectionManager(await loadMcpConfig({ path, env: {} }))).rejects.toThrow(/another/);
  });
});
