import { describe, expect, it } from "vitest";
import { loadMcpConfig, type McpManagerConfig, type McpPoolConfig } from "../src/index.ts";
import { fileOf, refusalOf } from "./files.ts";

const TEXT = `mcpServers: { a: { command: a, env: { KEY: s3cret } }, b: { url: "https://u:s3cret@example.com/?k=s3cret" } }
settings:
  log_level: warn
pool:
  max_connections: 4
  max_idle_time: 10
  health_check: { interval: 5 }
server_configs:
  a:
    pool: { max_connections: 6 }
`;

async function load(overrides?: McpPoolConfig, env: Readonly<Record<string, string>> = {}) {
  const path = fileOf(TEXT);
  return { config: await loadMcpConfig({ path, env, overrides }), path };
}

function sourceOf(config: McpManagerConfig, path: string): string | undefined {
  return config.explainConfig().find((each) => each.path === path)?.source;
}

describe("a value", () => {
  it("comes from defaults, then the file, the environment, the file's server, and code, field by field", async () => {
    const env = { MCP_DEFAULT_MAX_CONNECTIONS: "5", MCP_CONNECTION_TIMEOUT: "7", MCP_LOG_LEVEL: "debug" };
    const { config } = await load({ pool: { maxIdleTimeMs: 1, retry: { maxAttempts: 1 } } }, env);
    expect(config.settings.logLevel).toBe("debug");
    expect(config.getPoolConfigForServer("a")).toMatchObject({
      maxConnections: 6,
      connectionTimeoutMs: 7_000,
      maxIdleTimeMs: 1,
      acquireTimeoutMs: 10_000,
      healthCheck: { intervalMs: 5_000, timeoutMs: 10_000 },
      retry: { maxAttempts: 1, initialDelayMs: 1_000 },
    });
    expect(config.getPoolConfigForServer("b")).toMatchObject({ maxConnections: 5, maxIdleTimeMs: 1 });
  });

  it("that code sets for all goes before what the file says of one server", async () => {
    const { config } = await load({ pool: { maxConnections: 8 } });
    expect(config.getPoolConfigForServer("a").maxConnections).toBe(8);
    const { config: other } = await load({ serverConfigs: { a: { pool: { maxConnections: 9 } } } });
    expect([other.getPoolConfigForServer("a"), other.getPoolConfigForServer("b")]).toMatchObject([
      { maxConnections: 9 },
      { maxConnections: 4 },
    ]);
  });

  it("can be asked where it comes from", async () => {
    const env = { MCP_CONNECTION_TIMEOUT: "7", MCP_DISABLE_HEALTH_CHECKS: "1" };
    const { config, path } = await load({ pool: { maxWaiting: 3 } }, env);
    expect(sourceOf(config, "settings.logLevel")).toBe(`${path}:3:14`);
    expect(sourceOf(config, "settings.enableMetrics")).toBe("default");
    expect(sourceOf(config, "pool.maxWaiting")).toBe("code");
    expect(sourceOf(config, "pool.connectionTimeoutMs")).toBe("MCP_CONNECTION_TIMEOUT");
    expect(sourceOf(config, "pool.healthCheck.enabled")).toBe("MCP_DISABLE_HEALTH_CHECKS");
    expect(sourceOf(config, "serverConfigs.a.pool.maxConnections")).toBe(`${path}:10:30`);
    expect(sourceOf(config, "serverConfigs.b.pool.maxConnections")).toBe(`${path}:5:20`);
    expect(sourceOf(config, "mcpServers.a.command")).toBe(`${path}:1:29`);
  });

  it("that is secret is masked wherever it may be shown", async () => {
    const { config } = await load();
    const shown = JSON.stringify([config.explainConfig(), config]);
    expect(shown).not.toContain("s3cret");
    expect(config.explainConfig()).toContainEqual(
      expect.objectContaining({ path: "mcpServers.a.env.KEY", value: "***" }),
    );
  });

  it("of a request's time is the server's before the global pool's, and its own pool's before both", async () => {
    const overrides = {
      pool: { requestTimeoutMs: 1 },
      mcpServers: { c: { command: "c" } },
      serverConfigs: { a: { requestTimeoutMs: 2 }, b: { requestTimeoutMs: 2, pool: { requestTimeoutMs: 3 } } },
    };
    const { config } = await load(overrides);
    expect(["a", "b", "c"].map((name) => config.getPoolConfigForServer(name).requestTimeoutMs)).toEqual([2, 3, 1]);
  });
});

describe("a minimum of connections", () => {
  it("that is not written gives way to a smaller maximum", async () => {
    const { config } = await load({ pool: { maxConnections: 1 }, serverConfigs: {} });
    expect(config.getPoolConfigForServer("b")).toMatchObject({ minConnections: 1, maxConnections: 1 });
  });

  it.each([
    [{ MCP_DEFAULT_MIN_CONNECTIONS: "9" }, "MCP_DEFAULT_MIN_CONNECTIONS", /\(9 > 4\)/],
    [
      { MCP_DEFAULT_MIN_CONNECTIONS: "3", MCP_DEFAULT_MAX_CONNECTIONS: "2" },
      "MCP_DEFAULT_MIN_CONNECTIONS",
      /\(3 > 2\)/,
    ],
  ])("that is written above it is an error that names its source: %j", async (env, path, message) => {
    const { issues } = await refusalOf({ path: fileOf(TEXT), env });
    expect(issues[0]).toMatchObject({ path, message: expect.stringMatching(message) });
  });

  it("is told at the server's maximum where only that is the server's own", async () => {
    const text =
      "mcpServers: { a: { command: a } }\npool: { min_connections: 3 }\nserver_configs:\n  a: { pool: { max_connections: 2 } }";
    const { issues } = await refusalOf({ path: fileOf(text) });
    expect(issues).toMatchObject([{ path: "server_configs.a.pool.max_connections", line: 4 }]);
  });

  it("is 0 or 1 where single connections are forced", async () => {
    const text =
      "mcpServers: { a: { command: a }, b: { command: b } }\nserver_configs: { b: { pool: { min_connections: 3 } } }";
    const config = await loadMcpConfig({ path: fileOf(text), env: { MCP_SINGLE_CONNECTION: "true" } });
    expect(["a", "b"].map((name) => config.getPoolConfigForServer(name))).toMatchObject([
      { minConnections: 0, maxConnections: 1 },
      { minConnections: 1, maxConnections: 1 },
    ]);
  });
});
