import { describe, expect, it } from "vitest";
import { CIRCUIT_BREAKER, type CircuitBreaker, McpConnectionManager, type PoolPlugin } from "../src/index.ts";
import { ok } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";

describe("a manager's view of its servers", () => {
  it("has the pool of each server from the start, before any connection", () => {
    const { manager, connector } = scriptedManager({ servers: { a: {}, b: {} } });
    expect([...manager.pools.keys()]).toEqual(["a", "b"]);
    expect(manager.pools.get("a")).toBe(manager.pool("a"));
    expect(manager.pool("a").serverName).toBe("a");
    expect(manager.poolsOf("b")).toEqual([manager.pool("b")]);
    expect(connector.connects).toEqual([]);
    expect(() => manager.pool("c")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));
    expect(() => manager.poolsOf("c")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));
  });

  it("says so when no server is configured", async () => {
    const manager = new McpConnectionManager({});
    await expect(manager.callTool("a", { name: "b" })).rejects.toThrow('unknown MCP server "a"; none is configured');
    await manager.close();
  });

  it("selects servers by tag", () => {
    const { manager } = scriptedManager({
      servers: { a: { tags: ["production", "critical"] }, b: { tags: ["production"] }, c: {} },
    });
    expect(manager.servers()).toEqual(["a", "b", "c"]);
    expect(manager.servers({ tag: "production" })).toEqual(["a", "b"]);
    expect(manager.servers({ tag: "critical" })).toEqual(["a"]);
    expect(manager.servers({ tag: "prod" })).toEqual([]);
  });

  it("finds the circuit breaker of a pool, and names the package that is missing", () => {
    const without = scriptedManager({ servers: { a: {} } }).manager;
    expect(() => without.circuitBreaker("a")).toThrow(/@mcp-pool\/breaker/);
    expect(() => without.circuitBreaker("b")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));

    const breakers = new Map<string, CircuitBreaker>();
    const plugin: PoolPlugin = {
      name: CIRCUIT_BREAKER,
      install: ({ poolName }) => {
        const getStats = () => ({ state: "open", tripCount: 2, failureCount: 3, timeInCurrentStateMs: 1_500 });
        const handle = { state: "open", getStats } as unknown as CircuitBreaker;
        breakers.set(poolName, handle);
        return { handle };
      },
    };
    const { manager } = scriptedManager({ servers: { a: {} }, plugins: [plugin] });
    expect(manager.circuitBreaker("a")).toBe(breakers.get("a"));
    expect(manager.circuitBreaker("a")).toBe(manager.pool("a").circuitBreaker);
    const own = manager.circuitBreaker("a", "me");
    expect(own).toBe(manager.poolsOf("a")[1]?.circuitBreaker);
    expect(own).not.toBe(manager.circuitBreaker("a"));
    expect(manager.getPoolMetrics("a").circuitBreaker).toEqual({
      open: true,
      state: "open",
      tripCount: 2,
      failureCount: 3,
      secondsInState: 1.5,
    });
  });

  it("counts what the pools of a server did", async () => {
    const { manager, connector } = scriptedManager({
      servers: { a: { pool: { minConnections: 0, maxConnections: 4 } }, b: {} },
    });
    await manager.callTool("a", { name: "echo" });
    await manager.callTool("a", { name: "echo" });
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    connector.onRequest.next(ok({ content: [], isError: true }));
    const lease = await manager.acquire("a");
    await lease.client.callTool({ name: "echo" });
    const metrics = manager.getPoolMetrics("a");
    expect(metrics).toEqual({
      connections: { total: 2, active: 1, idle: 1, failed: 0, connecting: 0, waiting: 0, min: 0, max: 8 },
      lifecycle: { created: 2, destroyed: 0, borrowed: 4, returned: 3 },
      poolPerformance: {
        hits: 2,
        misses: 2,
        hitRatio: 0.5,
        missRatio: 0.5,
        utilizationPercent: 100 / (8 * 16),
        peakActive: 2,
      },
      errors: { connection: 0, timeout: 0, validation: 0, poolExhausted: 0, circuitOpen: 0, tool: 1 },
    });
    expect(Object.keys(manager.getPoolMetrics())).toEqual(["a", "b"]);
    expect(manager.getPoolMetrics().a).toEqual(metrics);
    expect(manager.getPoolMetrics("b").poolPerformance).toMatchObject({
      hitRatio: 0,
      missRatio: 0,
      utilizationPercent: 0,
    });
    expect(() => manager.getPoolMetrics("c")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));
    lease.release();
  });

  it("takes a snapshot that is ready for JSON", async () => {
    const { manager } = scriptedManager({ max: 7, servers: { a: { priority: 3, tags: ["x"] }, b: {} } });
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    const stats = manager.stats();
    expect(JSON.parse(JSON.stringify(stats))).toMatchObject({
      totalConnections: 1,
      maxTotalConnections: 7,
      servers: {
        a: {
          priority: 3,
          tags: ["x"],
          pools: [
            { poolName: "a", serverName: "a", connections: { total: 0 } },
            { serverName: "a", identity: "me", connections: { total: 1, idle: 1 } },
          ],
        },
        b: { priority: 0, tags: [], pools: [{ poolName: "b" }] },
      },
    });
    expect(JSON.stringify(manager.getPoolMetrics())).toContain('"lifecycle"');
  });
});
