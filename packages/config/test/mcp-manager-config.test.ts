import { resolvePoolOptions } from "@mcp-pool/core";
import { describe, expect, it } from "vitest";
import {
  loadMcpConfig,
  McpManagerConfig,
  mcpPoolConfigSchema,
  POOL_DEFAULTS,
  poolConfigSchema,
  SETTINGS_DEFAULTS,
  serverSpecificConfigSchema,
} from "../src/index.ts";
import { fileOf } from "./files.ts";

describe("a configuration in code", () => {
  it("is put together server by server, as the document shows", () => {
    const config = new McpManagerConfig({}, { env: {} });
    config
      .addServerConfig({
        serverName: "high-priority-server",
        command: "server",
        pool: {
          minConnections: 1,
          maxConnections: 5,
          healthCheck: { enabled: true, intervalMs: 60_000, failureThreshold: 3 },
          circuitBreaker: { enabled: true, failureThreshold: 5, recoveryTimeoutMs: 60_000 },
        },
        priority: 10,
        tags: ["production", "critical"],
        maxConcurrentRequests: 50,
      })
      .addServerConfig({ serverName: "other", url: "https://example.com/mcp" });
    expect(config.listConfiguredServers()).toEqual(["high-priority-server", "other"]);
    expect(config.getServerConfig("high-priority-server")).toMatchObject({
      serverName: "high-priority-server",
      priority: 10,
      pool: { maxConnections: 5 },
    });
    expect(config.getServerConfig("none")).toBeUndefined();
    expect(config.getPoolConfigForServer("high-priority-server")).toMatchObject({
      maxConnections: 5,
      maxWaiting: 1_000,
    });
    expect(config.getPoolConfigForServer("none")).toEqual(POOL_DEFAULTS);
    expect(config.settings).toEqual(SETTINGS_DEFAULTS);
    expect(config.resolve().servers.get("other")?.connection).toMatchObject({ type: "streamable-http" });
    expect(config.removeServerConfig("other")).toBe(true);
    expect(config.removeServerConfig("other")).toBe(false);
    expect(config.listConfiguredServers()).toEqual(["high-priority-server"]);
  });

  it("takes the document's spelling of a server's pool", () => {
    const config = new McpManagerConfig({}, { env: {} });
    config.addServerConfig({ serverName: "a", command: "a", poolConfig: { maxConnections: 3 } });
    expect(config.getPoolConfigForServer("a").maxConnections).toBe(3);
    const twice = { serverName: "a", command: "a", poolConfig: { maxConnections: 3 }, pool: { maxConnections: 4 } };
    expect(() => config.addServerConfig(twice)).toThrow(/again/);
    const { serverName: _, command: __, ...both } = twice;
    const { pool, poolConfig } = both;
    expect(serverSpecificConfigSchema.parse({ poolConfig })).toEqual({ pool: poolConfig });
    expect(mcpPoolConfigSchema.parse({ serverConfigs: { a: { pool } } })).toEqual({ serverConfigs: { a: { pool } } });
    expect(serverSpecificConfigSchema.safeParse(both).success).toBe(false);
    expect(mcpPoolConfigSchema.safeParse({ serverConfigs: { a: { poolConfig } } }).success).toBe(true);
  });

  it("adds to what was loaded, replaces it, and takes it out", async () => {
    const path = fileOf(
      "mcpServers: { a: { command: a }, b: { command: b } }\nserver_configs: { a: { priority: 1, tags: [x] } }",
    );
    const config = await loadMcpConfig({ path, env: {} });
    config.addServerConfig({ serverName: "a", priority: 2 });
    expect(config.getServerConfig("a")).toMatchObject({ priority: 2, tags: ["x"] });
    config.removeServerConfig("b");
    expect([...config.resolve().servers.keys()]).toEqual(["a"]);
    config.removeServerConfig("a");
    expect(config.resolve().servers.size).toBe(0);
    config.addServerConfig({ serverName: "b", command: "again" });
    expect(config.resolve().servers.get("b")?.connection).toMatchObject({ command: "again" });
  });

  it("refuses a bad server at once, and stays as it was", () => {
    const config = new McpManagerConfig({ mcpServers: { a: { command: "a" } } }, { env: {} });
    const bad = { serverName: "b", command: "", priority: "high", pool: { maxConnections: 0 } } as never;
    expect(() => config.addServerConfig(bad)).toThrow(/maxConnections.*serverConfigs\.b\.priority/);
    expect(() => config.addServerConfig({} as never)).toThrow(/serverName: must be the name of a server/);
    expect(config.listConfiguredServers()).toEqual(["a"]);
  });

  it("tells of a server that nobody says how to reach when it is to be used", () => {
    const config = new McpManagerConfig({ mcpServers: { files: { command: "a" } } }, { env: {} });
    config.addServerConfig({ serverName: "file", priority: 1 });
    expect(config.getServerConfig("file")).toMatchObject({ priority: 1 });
    expect(() => config.resolve()).toThrow(/no such server; known: files \(did you mean "files"\?\)/);
  });

  it("can be copied, and the copy changed", () => {
    const config = new McpManagerConfig({ mcpServers: { a: { command: "a" } } }, { env: {} });
    const copy = config.clone().addServerConfig({ serverName: "b", command: "b" });
    expect([config.listConfiguredServers(), copy.listConfiguredServers()]).toEqual([["a"], ["a", "b"]]);
  });

  it("reads a catalog that it names", () => {
    const mcpConfigPath = fileOf('{ "mcpServers": { "a": { "command": "a" } } }', "mcp.json");
    expect(new McpManagerConfig({ mcpConfigPath }, { env: {} }).listConfiguredServers()).toEqual(["a"]);
  });

  it("masks what may be secret in JSON", () => {
    const server = {
      command: "a",
      args: ["--token", "s3cret", "--api-key=s3cret", "-v"],
      env: { KEY: "s3cret" },
    };
    const web = { url: "https://u:s3cret@h/mcp?k=s3cret", headers: { a: "s3cret" } };
    const config = new McpManagerConfig({ mcpServers: { server, web } }, { env: {} });
    expect(JSON.parse(JSON.stringify(config)).mcpServers).toEqual({
      server: { command: "a", args: ["--token", "***", "--api-key=***", "-v"], env: { KEY: "***" } },
      web: { url: "https://***@h/mcp?***", headers: { a: "***" } },
    });
  });
});

describe("defaults", () => {
  it("are those of core, where core has them", () => {
    const core = resolvePoolOptions();
    for (const [name, value] of Object.entries(core)) {
      if (value === undefined || value === Infinity || !Object.hasOwn(POOL_DEFAULTS, name)) continue;
      expect([name, POOL_DEFAULTS[name as keyof typeof POOL_DEFAULTS]]).toEqual([name, value]);
    }
  });

  it("leave no option of core out of the schema", () => {
    // What is known of single tools stands beside the pool, in the server's own settings; handlers are code.
    const {
      tools: _tools,
      trustAnnotations: _trustAnnotations,
      handlers: _handlers,
      leaseHandlers: _leaseHandlers,
      ...options
    } = resolvePoolOptions();
    const code = { onRelease: () => {} };
    expect(poolConfigSchema.safeParse({ ...options, ...code }).error?.issues ?? []).toEqual([]);
  });
});
