import type { PoolPlugin } from "@mcp-pool/core";
import { FakeClock, ScriptedConnector } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import type { McpPoolConfig, McpPoolManager } from "../src/index.ts";
import { configured } from "./configured.ts";

const CALL = { name: "echo" };

describe("a change at run time", () => {
  async function changeable(): Promise<{ manager: McpPoolManager; connector: ScriptedConnector }> {
    return configured(
      { mcpServers: { a: { command: "a", args: ["1"] } }, pool: { minConnections: 0 } },
      { env: { X: "1" } },
    );
  }

  it("adds a server in one piece: how to reach it, and how to pool it", async () => {
    const { manager, connector } = await changeable();
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like
    manager.addServer("b", { command: "b", args: ["${X}"], tags: ["new"], priority: 2, pool: { maxConnections: 3 } });
    await manager.callTool("b", CALL);
    expect(connector.connects).toMatchObject([{ serverName: "b" }]);
    expect(manager.servers({ tag: "new" })).toEqual(["b"]);
    expect(manager.pool("b").stats().connections).toMatchObject({ min: 0, max: 3 });
  });

  it("refuses a bad server, and one that is there already", async () => {
    const { manager } = await configured({ mcpServers: { a: { command: "a" } } }, { connector: () => undefined });
    const add = (name: string, config: object | null) => () => manager.addServer(name, config as never);
    expect(add("b", { command: "b", comand: 1, pool: { maxConnections: 0 } })).toThrow(
      expect.objectContaining({
        issues: [
          expect.objectContaining({ path: "serverConfigs.b.pool.maxConnections" }),
          expect.objectContaining({ path: "mcpServers.b.comand" }),
        ],
      }),
    );
    expect(add("b", null)).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path: "mcpServers.b" })] }),
    );
    expect(add("a", { command: "a" })).toThrow(/is there already/);
    expect(manager.servers()).toEqual(["a"]);
  });

  it("keeps connections whose servers are reached as before, however that is written", async () => {
    const connectors: ScriptedConnector[] = [];
    const connector = () => connectors[connectors.push(new ScriptedConnector({ clock: new FakeClock() })) - 1];
    const config: McpPoolConfig = {
      mcpServers: { a: { command: "a", args: ["1"] } },
      pool: { minConnections: 0 },
    };
    const { manager } = await configured(config, { connector, env: { X: "1" } });
    await manager.callTool("a", CALL);
    await manager.reload({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like
      mcpServers: { a: { args: ["${X}"], command: "a" } },
      serverConfigs: { a: { priority: 1, pool: { minConnections: 0, maxConnections: 3 } } },
    });
    await manager.callTool("a", CALL);
    expect(connectors.map(({ connects }) => connects.length)).toEqual([1, 0]);
    expect(manager.pool("a").stats().connections.max).toBe(3);
    await manager.reload({ mcpServers: { a: { command: "a", args: ["2"] } }, pool: { minConnections: 0 } });
    await manager.callTool("a", CALL);
    expect(connectors.map(({ connects }) => connects.length)).toEqual([1, 0, 1]);
    expect(connectors[0]?.connection(1).closes).toEqual(["reconfigured"]);
  });

  it("changes nothing when it is refused late, be it how much is logged, how often is measured, or what servers inherit", async () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const plugins = (name: string): readonly PoolPlugin[] => {
      const install = () => {
        throw new Error("no");
      };
      return name === "bad" ? [{ name: "broken", install }] : [];
    };
    const config: McpPoolConfig = {
      mcpServers: { a: { command: "a" } },
      pool: { minConnections: 0, maxConnections: 4 },
      settings: { logLevel: "error" },
    };
    const logger = { debug: write, info: write, warn: write, error: write };
    const { manager } = await configured(config, { plugins, logger });
    const refused = manager.reload({
      mcpServers: { a: { command: "a" }, bad: { command: "bad" } },
      pool: { minConnections: 0, maxConnections: 7 },
      settings: { logLevel: "debug", detailedMetrics: true },
    });
    await expect(refused).rejects.toThrow("no");
    expect(manager.config).toBe(config);
    await manager.callTool("a", CALL);
    expect(lines).toEqual([]);
    expect(manager.metrics.getServerMetrics("a")).not.toHaveProperty("tools");
    manager.addServer("b", { command: "b" });
    expect(manager.pool("b").stats().connections.max).toBe(4);
    await manager.reload({ ...config, settings: { logLevel: "debug", detailedMetrics: true } });
    await manager.callTool("a", CALL);
    expect(lines.length).toBeGreaterThan(0);
    expect(manager.metrics.getServerMetrics("a")).toHaveProperty("tools");
  });

  it("changes nothing when the new configuration is bad", async () => {
    const { manager, connector } = await changeable();
    await manager.callTool("a", CALL);
    const bad = manager.reload({ mcpServers: { b: { command: "b" } }, pool: { maxConnections: 0 } });
    await expect(bad).rejects.toMatchObject({ issues: [{ path: "pool.maxConnections" }] });
    expect(manager.servers()).toEqual(["a"]);
    await manager.callTool("a", CALL);
    expect(connector.connects).toHaveLength(1);
  });
});
