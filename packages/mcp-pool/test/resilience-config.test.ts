import { ScriptedConnector } from "@mcp-pool/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMcpPool, type McpPoolConfig, type McpPoolManager, retry } from "../src/index.ts";

const NOBODY = { command: "nobody" };

/** Makes a manager whose servers are scripted, and the connector that all of them share. */
async function scripted(config: Partial<McpPoolConfig>, plugins: Parameters<typeof createMcpPool>[1] = {}) {
  const connector = new ScriptedConnector();
  const manager = await createMcpPool(
    { mcpServers: { files: NOBODY }, ...config },
    { connector: () => connector, ...plugins },
  );
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return { manager, connector };
}

const settingsOf = (manager: McpPoolManager) => manager.circuitBreaker("files").getStats().config;

describe("a default install", () => {
  it("has a circuit breaker and health checks, with the defaults of the contract", async () => {
    const { manager } = await scripted({});
    expect(settingsOf(manager)).toMatchObject({
      failureThreshold: 5,
      recoveryTimeoutMs: 60_000,
      successThreshold: 2,
      halfOpenMaxCalls: 1,
    });
    expect(manager.health("files").status).toBe("unknown");
    expect(manager.pool("files").circuitBreaker.state).toBe("closed");
  });

  it("takes options of all servers and of one, field by field", async () => {
    const { manager } = await scripted({
      pool: { circuitBreaker: { failureThreshold: 7, recoveryTimeoutMs: 5_000 } },
      serverConfigs: { files: { pool: { circuitBreaker: { recoveryTimeoutMs: 9_000 } } } },
    });
    expect(settingsOf(manager)).toMatchObject({ failureThreshold: 7, recoveryTimeoutMs: 9_000 });
  });

  it.each<[string, Partial<McpPoolConfig>]>([
    ["settings.enableCircuitBreakers", { settings: { enableCircuitBreakers: false } }],
    ["pool.circuitBreaker.enabled", { pool: { circuitBreaker: { enabled: false } } }],
    ["that of one server", { serverConfigs: { files: { pool: { circuitBreaker: { enabled: false } } } } }],
  ])("has no circuit breaker when %s says so, and names the package", async (_what, config) => {
    const { manager } = await scripted(config);
    expect(() => manager.circuitBreaker("files")).toThrow("@mcp-pool/breaker");
    expect(manager.health("files").status).toBe("unknown");
  });

  it.each<[string, Partial<McpPoolConfig>]>([
    ["settings.disableHealthChecks", { settings: { disableHealthChecks: true } }],
    ["pool.healthCheck.enabled", { pool: { healthCheck: { enabled: false } } }],
  ])("has no health checks when %s says so, and names the package", async (_what, config) => {
    const { manager } = await scripted(config);
    expect(() => manager.health("files")).toThrow("@mcp-pool/health");
    await expect(manager.checkHealth()).rejects.toThrow("@mcp-pool/health");
    expect(manager.circuitBreaker("files").state).toBe("closed");
  });

  it("lets a plugin of the user's take the place of a built-in one", async () => {
    const { manager } = await scripted({}, { plugins: [retry({ maxAttempts: 1 })] });
    expect(manager.circuitBreaker("files").state).toBe("closed");
  });

  it("tells every bad option once, with its path", async () => {
    const bad = scripted({
      mcpServers: { files: NOBODY, search: NOBODY },
      pool: { retry: { maxAttempts: 0 }, healthCheck: { intervalMs: -1 } },
      serverConfigs: { search: { pool: { circuitBreaker: { failureThreshold: 0 } } } },
      settings: { enableCircuitBreakers: "yes" as never },
    });
    const { issues } = await bad.then(
      () => Promise.reject(new Error("expected a rejection")),
      (error: { issues: readonly { path: string }[] }) => error,
    );
    expect(issues.map(({ path }) => path).sort()).toEqual([
      "pool.healthCheck.intervalMs",
      "pool.retry.maxAttempts",
      "serverConfigs.search.pool.circuitBreaker.failureThreshold",
      "settings.enableCircuitBreakers",
    ]);
  });

  it("keeps connections over a reload with the same options, and makes the pools anew with others", async () => {
    const { manager, connector } = await scripted({ pool: { minConnections: 0 } });
    await manager.callTool("files", { name: "echo" });
    const pool = manager.pool("files");
    const config = { mcpServers: { files: NOBODY }, pool: { minConnections: 0 } };
    await manager.reload(config);
    expect(manager.pool("files")).toBe(pool);
    expect(connector.connection(1).closes).toEqual([]);
    await manager.reload({ ...config, pool: { minConnections: 0, circuitBreaker: { failureThreshold: 2 } } });
    expect(manager.pool("files")).not.toBe(pool);
    expect(settingsOf(manager)).toMatchObject({ failureThreshold: 2 });
  });

  it("gives servers that are added later what all servers have", async () => {
    const { manager } = await scripted({ pool: { circuitBreaker: { failureThreshold: 9 } } });
    manager.addServer("search", { ...NOBODY, tools: { find: { idempotent: true } }, trustAnnotations: true });
    expect(manager.circuitBreaker("search").getStats().config).toMatchObject({ failureThreshold: 9 });
  });
});
