import { ScriptedConnector } from "@mcp-pool/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import * as facade from "../src/index.ts";

/** Names of the Python pool's document that are types here; compiling this file is their test. */
export type NamesOfTypes = [
  facade.PooledConnection,
  facade.HealthStatus,
  facade.PoolConfig,
  facade.ServerSpecificConfig,
  facade.HealthCheckConfig,
  facade.CircuitBreakerConfig,
  facade.McpSettings,
];

async function scripted(config: facade.McpPoolConfig = {}): Promise<facade.McpPoolManager> {
  const connector = new ScriptedConnector();
  const mcpServers = { a: { command: "a" }, b: { command: "b" } };
  const manager = await facade.createMcpPool({ mcpServers, ...config }, { env: {}, connector: () => connector });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

describe("a name of the Python pool's document", () => {
  it.each([
    "McpConnectionManager",
    "McpConnectionPool",
    "CircuitBreaker",
    "health",
    "McpMetricsCollector",
    "getMetricsCollector",
    "createPooledMcpTools",
    "AgentVersionFactory",
    "createVersionedAgent",
    "resolveAgentTools",
    "McpManagerConfig",
    "getMcpConnectionManager",
    "shutdownMcpConnectionManager",
    "loadMcpConfig",
    "McpConnectionError",
    "McpPoolExhaustedError",
    "CircuitBreakerOpenError",
    "McpTimeoutError",
    "McpHealthCheckError",
    "McpValidationError",
  ])("can be imported: %s", (name) => {
    expect((facade as Readonly<Record<string, unknown>>)[name]).toBeTypeOf("function");
  });

  it("is what the members of McpManagerConfig are called", () => {
    const config = new facade.McpManagerConfig();
    const { addServerConfig, removeServerConfig, getServerConfig, getPoolConfigForServer } = config;
    const members = [addServerConfig, removeServerConfig, getServerConfig, getPoolConfigForServer];
    for (const member of [...members, config.listConfiguredServers, config.toJSON])
      expect(member).toBeTypeOf("function");
  });
});

describe("the circuit breaker's handle", () => {
  it("is reached by the pool and by the manager, before any connection", async () => {
    const manager = await scripted();
    expect(manager.pool("a").circuitBreaker).toBe(manager.circuitBreaker("a"));
    expect(manager.pools.get("a")?.circuitBreaker).toBe(manager.circuitBreaker("a"));
    expect(manager.circuitBreaker("a")).toBeInstanceOf(facade.CircuitBreaker);
  });

  it("tells everything that getStats() promises", async () => {
    const manager = await scripted();
    manager.circuitBreaker("a").forceOpen();
    expect(Object.keys(manager.circuitBreaker("a").getStats())).toEqual(
      expect.arrayContaining([
        "state",
        "forced",
        "failureCount",
        "successCount",
        "tripCount",
        "lastFailureTime",
        "lastStateChange",
        "timeSinceLastFailureMs",
        "timeInCurrentStateMs",
        "retryAfterMs",
        "config",
      ]),
    );
  });
});

describe("getPoolMetrics", () => {
  const POOL = {
    connections: ["total", "active", "idle", "failed", "connecting", "waiting", "min", "max"],
    lifecycle: ["created", "destroyed", "borrowed", "returned"],
    poolPerformance: ["hits", "misses", "hitRatio", "missRatio", "utilizationPercent", "peakActive"],
    errors: ["connection", "timeout", "validation", "poolExhausted", "circuitOpen", "tool"],
    circuitBreaker: ["open", "state", "tripCount", "failureCount", "secondsInState"],
  };

  it("has the shape of the collector's servers, for one or for all, ready for JSON", async () => {
    const manager = await scripted();
    await manager.callTool("a", { name: "echo" });
    const metrics = manager.getPoolMetrics();
    expect(Object.keys(metrics)).toEqual(["a", "b"]);
    for (const [block, keys] of Object.entries(POOL)) {
      const values = (metrics.a as unknown as Readonly<Record<string, object>>)[block] ?? {};
      expect([block, ...Object.keys(values).sort()]).toEqual([block, ...keys.sort()]);
    }
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
    expect(metrics.a?.lifecycle).toEqual(manager.getPoolMetrics("a").lifecycle);
  });
});

describe("createMcpPool", () => {
  it("takes the tuning examples in code", async () => {
    for (const pool of [
      { minConnections: 5, maxConnections: 20, connectionTimeoutMs: 10_000, maxIdleTimeMs: 180_000 },
      { minConnections: 10, maxConnections: 15, connectionTimeoutMs: 5_000, validateOnAcquire: true },
      { minConnections: 1, maxConnections: 3, maxIdleTimeMs: 600_000, cleanupIntervalMs: 120_000 },
    ] satisfies facade.PoolConfig[]) {
      const manager = await scripted({ pool });
      await manager.warmUp("a");
      expect(manager.getPoolMetrics("a").connections).toMatchObject({
        total: pool.minConnections,
        min: pool.minConnections,
        max: pool.maxConnections,
      });
    }
  });
});
