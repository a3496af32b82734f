import { ScriptedConnector, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMcpPool, McpManagerConfig, type McpPoolManager } from "../src/index.ts";

const SERVER = { mcpServers: { a: { command: "a" } } };

/** Makes a manager with variables and nothing else. */
async function managerWith(env: Readonly<Record<string, string>>) {
  const connector = new ScriptedConnector();
  const manager = await createMcpPool(SERVER, { env, connector: () => connector });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return { manager, connector };
}

describe("defaults", () => {
  it("are the figures of the contract", () => {
    const config = new McpManagerConfig(SERVER, { env: {} });
    expect(config.getPoolConfigForServer("a")).toMatchObject({
      minConnections: 2,
      maxConnections: 10,
      maxIdleTimeMs: 300_000,
      connectionTimeoutMs: 30_000,
      validateOnAcquire: true,
      cleanupIntervalMs: 60_000,
      acquireTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      maxLifetimeMs: 3_600_000,
      maxWaiting: 1_000,
      sharing: "shared",
      retry: { maxAttempts: 3, initialDelayMs: 1_000, backoffFactor: 2, maxDelayMs: 30_000 },
      healthCheck: {
        enabled: true,
        intervalMs: 60_000,
        timeoutMs: 10_000,
        failureThreshold: 3,
        successThreshold: 2,
        checkMethod: "auto",
      },
      circuitBreaker: {
        enabled: true,
        failureThreshold: 5,
        recoveryTimeoutMs: 60_000,
        successThreshold: 2,
        halfOpenMaxCalls: 1,
      },
    });
    expect(config.settings).toEqual({
      logLevel: "info",
      enableMetrics: true,
      detailedMetrics: false,
      metricsIntervalMs: 60_000,
      maxTotalConnections: 100,
      cleanupIntervalMs: 300_000,
      enableCircuitBreakers: true,
      enableMockServers: false,
      forceSingleConnection: false,
      disableHealthChecks: false,
      sdk: "v1",
    });
  });
});

describe("in a manager that runs, the variable", () => {
  const circuit = (manager: McpPoolManager) => manager.circuitBreaker("a").getStats().config;

  it.each([
    ["MCP_MAX_TOTAL_CONNECTIONS", "7", (each: McpPoolManager) => each.stats().maxTotalConnections, 7],
    ["MCP_DEFAULT_MIN_CONNECTIONS", "1", (each: McpPoolManager) => each.getPoolMetrics("a").connections.min, 1],
    ["MCP_DEFAULT_MAX_CONNECTIONS", "3", (each: McpPoolManager) => each.getPoolMetrics("a").connections.max, 3],
    ["MCP_SINGLE_CONNECTION", "true", (each: McpPoolManager) => each.getPoolMetrics("a").connections.max, 1],
    ["MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD", "9", (each: McpPoolManager) => circuit(each).failureThreshold, 9],
    ["MCP_CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "5", (each: McpPoolManager) => circuit(each).recoveryTimeoutMs, 5_000],
  ] as const)("%s is in force", async (name, text, read, expected) => {
    expect(read((await managerWith({ [name]: text })).manager)).toBe(expected);
    expect(read((await managerWith({})).manager)).not.toBe(expected);
  });

  it("MCP_ENABLE_CIRCUIT_BREAKERS leaves them out, and MCP_DISABLE_HEALTH_CHECKS the checks", async () => {
    const { manager } = await managerWith({ MCP_ENABLE_CIRCUIT_BREAKERS: "false", MCP_DISABLE_HEALTH_CHECKS: "true" });
    expect(() => manager.circuitBreaker("a")).toThrow("@mcp-pool/breaker");
    expect(() => manager.health("a")).toThrow("@mcp-pool/health");
    await manager.callTool("a", { name: "echo" });
  });

  it("MCP_CONNECTION_TIMEOUT bounds an opening, which ends in a time-out of its phase", async () => {
    const { manager, connector } = await managerWith({ MCP_CONNECTION_TIMEOUT: "0.05" });
    connector.onConnect.always(untilAborted());
    await expect(manager.warmUp("a")).rejects.toMatchObject({ code: "TIMEOUT", phase: "connect", outcome: "not-sent" });
  });

  it("MCP_HEALTH_CHECK_INTERVAL says how often is asked", async () => {
    const { manager, connector } = await managerWith({
      MCP_HEALTH_CHECK_INTERVAL: "0.02",
      MCP_DEFAULT_MIN_CONNECTIONS: "1",
    });
    const passed = new Promise((resolve) => manager.subscribe(resolve, ["health-check-passed"]));
    await manager.callTool("a", { name: "echo" });
    expect(await passed).toMatchObject({ serverName: "a" });
    expect(connector.connects).toHaveLength(1);
  });
});
