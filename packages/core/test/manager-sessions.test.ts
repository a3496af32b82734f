import { describe, expect, it } from "vitest";
import { CIRCUIT_BREAKER, type LoggingLevel, type PoolPlugin } from "../src/index.ts";
import { scriptedManager } from "./scripted-manager.ts";

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
