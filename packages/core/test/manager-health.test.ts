import { describe, expect, it } from "vitest";
import { HEALTH, type HealthStatus, type PoolPlugin } from "../src/index.ts";
import { scriptedManager } from "./scripted-manager.ts";

const UNKNOWN: HealthStatus = {
  status: "unknown",
  checksPerformed: 0,
  checksFailed: 0,
  consecutiveFailures: 0,
  consecutivePasses: 0,
  lastCheckTime: undefined,
  lastDurationMs: undefined,
  lastError: undefined,
};

/** Health checks whose outcomes the test sets, by name of the pool. */
function scriptedHealth(statuses: Record<string, Partial<HealthStatus>>) {
  const checked: string[] = [];
  const plugin: PoolPlugin = {
    name: HEALTH,
    install: (pool) => ({
      handle: {
        get status(): HealthStatus {
          return { ...UNKNOWN, ...statuses[pool.poolName] };
        },
        isProbing: true,
        check: async () => void checked.push(pool.poolName),
      },
    }),
  };
  return { checked, plugin };
}

describe("the health of a server", () => {
  it("is what its only pool has shown", () => {
    const { plugin } = scriptedHealth({ a: { status: "healthy", checksPerformed: 3 } });
    const { manager } = scriptedManager({ servers: { a: {}, b: {} }, plugins: [plugin] });
    const a = { ...UNKNOWN, status: "healthy", checksPerformed: 3 };
    expect(manager.health("a")).toEqual({ ...a, pools: { a } });
    expect(manager.health()).toEqual({
      a: { ...a, pools: { a } },
      b: { ...UNKNOWN, pools: { b: UNKNOWN } },
    });
  });

  it.each<[string, Record<string, Partial<HealthStatus>>, Partial<HealthStatus>]>([
    ["unhealthy before healthy", { a: { status: "healthy" }, "a#2": { status: "unhealthy" } }, { status: "unhealthy" }],
    ["healthy before unknown", { a: { status: "unknown" }, "a#2": { status: "healthy" } }, { status: "healthy" }],
    [
      "the more failures in a row",
      {
        a: { status: "unhealthy", consecutiveFailures: 3 },
        "a#2": { status: "unhealthy", consecutiveFailures: 5, lastError: "lost" },
      },
      { consecutiveFailures: 5, lastError: "lost" },
    ],
    [
      "the first of equals",
      { a: { status: "healthy", lastDurationMs: 1 }, "a#2": { status: "healthy", lastDurationMs: 2 } },
      { lastDurationMs: 1 },
    ],
  ])("is that of the pool that does worst: %s", async (_what, statuses, worst) => {
    const { plugin } = scriptedHealth(statuses);
    const { manager } = scriptedManager({ servers: { a: {} }, plugins: [plugin] });
    await manager.callTool("a", { name: "echo" }, { identity: "alice" });
    const health = manager.health("a");
    expect(health).toMatchObject(worst);
    expect(Object.keys(health.pools)).toEqual(["a", "a#2"]);
    expect(JSON.stringify(health)).not.toContain("alice");
  });

  it("leaves out the pool without an identity where one is required", async () => {
    const { plugin, checked } = scriptedHealth({ a: { status: "unhealthy" }, "a#2": { status: "healthy" } });
    const { manager } = scriptedManager({ servers: { a: { identityRequired: true } }, plugins: [plugin] });
    expect(manager.health("a")).toEqual({ ...UNKNOWN, pools: {} });
    await manager.callTool("a", { name: "echo" }, { identity: "alice" });
    const own = { ...UNKNOWN, status: "healthy" };
    expect(await manager.checkHealth("a")).toEqual({ ...own, pools: { "a#2": own } });
    expect(checked).toEqual(["a#2"]);
  });

  it("is checked in the pools that have connections, and in the one without an identity in any case", async () => {
    const { plugin, checked } = scriptedHealth({});
    const { manager, connector, clock } = scriptedManager({ servers: { a: {}, b: {} }, plugins: [plugin] });
    await manager.callTool("a", { name: "echo" }, { identity: "alice" });
    await manager.callTool("a", { name: "echo" }, { identity: "bob" });
    connector.connection(1).die();
    await clock.settle();
    expect(Object.keys(await manager.checkHealth())).toEqual(["a", "b"]);
    expect(checked.sort()).toEqual(["a", "a#3", "b"]);
  });

  it("needs the plugin, also where no identity has a pool yet", async () => {
    const { manager } = scriptedManager({ servers: { a: { identityRequired: true } } });
    expect(() => manager.health()).toThrow("@mcp-pool/health");
    await expect(manager.checkHealth("a")).rejects.toThrow("@mcp-pool/health");
  });
});

describe("a manager's configuration", () => {
  it("is the one in force, as it was given", async () => {
    const { manager, options } = scriptedManager({ servers: { a: {} } });
    const [next, bad] = [options({ servers: { b: {} } }), options({ servers: { b: { priority: Number.NaN } } })];
    expect(Object.keys(manager.config.servers ?? {})).toEqual(["a"]);
    const reloading = manager.reload(next);
    expect(manager.config).toBe(next);
    await reloading;
    await expect(manager.reload(bad)).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
    expect(manager.config).toBe(next);
  });
});
