import { describe, expect, it } from "vitest";
import { CIRCUIT_BREAKER, type LoggingLevel, type McpConnectionManager, type PoolPlugin } from "../src/index.ts";
import { scriptedManager } from "./scripted-manager.ts";

/** Opens a shared and an exclusive connection for one identity, and leases the latter. */
async function openPools(manager: McpConnectionManager): Promise<{ stop(): void }> {
  await manager.callTool("a", { name: "x" }, { identity: "alice" });
  const lease = await manager.acquire("a", { identity: "alice", sharing: "exclusive" });
  return { stop: () => lease.release() };
}

describe("a server's level of logging", () => {
  it("is set for one identity, on connections that are open and on those to come", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    connector.server = { name: "scripted", version: "1.0.0", capabilities: { logging: {} } };
    await manager.callTool("a", { name: "x" });
    await manager.callTool("a", { name: "x" }, { identity: "alice" });
    await manager.setLoggingLevel("a", "error", { identity: "alice" });
    const levels = () => connector.requests.filter(({ method }) => method === "logging/setLevel");
    expect(levels()).toMatchObject([{ connection: 2, params: { level: "error" } }]);
    await manager.setLoggingLevel("a", "debug");
    connector.connection(2).die();
    await clock.settle();
    await manager.callTool("a", { name: "x" }, { identity: "alice" });
    expect(levels().slice(1)).toMatchObject([
      { connection: 1, params: { level: "debug" } },
      { connection: 3, params: { level: "error" } },
    ]);
  });

  it("holds when the identity's pool was swept and comes back, and on all pools of the identity", async () => {
    const { manager, connector, clock } = scriptedManager({
      servers: { a: { pool: { maxIdleTimeMs: 1_000, minConnections: 0 } } },
      settings: { cleanupIntervalMs: 1_000 },
    });
    connector.server = { name: "scripted", version: "1.0.0", capabilities: { logging: {} } };
    const levels = () => {
      const requests = connector.requests.filter(({ method }) => method === "logging/setLevel");
      return requests.map(({ connection, params }) => [connector.connects[connection - 1]?.identity, params?.level]);
    };
    await manager.setLoggingLevel("a", "error", { identity: "alice" });
    const { stop } = await openPools(manager);
    expect(levels()).toEqual([
      ["alice", "error"],
      ["alice", "error"],
    ]);
    await manager.setLoggingLevel("a", "debug", { identity: async () => "alice" });
    expect(levels().slice(2)).toEqual([
      ["alice", "debug"],
      ["alice", "debug"],
    ]);
    stop();
    await clock.advance(5_000);
    expect(manager.poolsOf("a")).toHaveLength(1);
    const again = await openPools(manager);
    expect(levels().slice(4)).toEqual([
      ["alice", "debug"],
      ["alice", "debug"],
    ]);
    again.stop();
    await manager.callTool("a", { name: "x" }, { identity: "bob" });
    expect(levels()).toHaveLength(6);
  });

  it("is refused by a promise when there is no such level, or no such server", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    await expect(manager.setLoggingLevel("a", "loud" as LoggingLevel)).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      issues: [{ path: "level" }],
    });
    await expect(manager.setLoggingLevel("b", "error")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });
});

describe("a server's circuit breaker", () => {
  it("is that of the identity, and without one that of the server's own pool, be identities required", () => {
    const plugin: PoolPlugin = { name: CIRCUIT_BREAKER, install: ({ poolName }) => ({ handle: poolName }) };
    const { manager } = scriptedManager({ servers: { a: { identityRequired: true } }, plugins: [plugin] });
    expect([manager.circuitBreaker("a"), manager.circuitBreaker("a", "alice")]).toEqual(["a", "a#2"]);
  });
});
