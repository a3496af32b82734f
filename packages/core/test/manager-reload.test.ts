import { describe, expect, it } from "vitest";
import type { PoolPlugin } from "../src/index.ts";
import { manual, ScriptedConnector } from "../src/testing/index.ts";
import { acquireMany, exclusive, type ManagerSetup, openServers, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "echo" };

describe("a reload", () => {
  it("keeps the connections of servers that have not changed", async () => {
    const { manager, connector, options, recorder } = scriptedManager({ servers: { a: {}, b: {}, c: {} } });
    const pool = manager.pool("a");
    for (const name of ["a", "b", "c"]) await manager.callTool(name, CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    const servers = { a: { priority: 5, tags: ["x"], identityRequired: false }, b: {} };
    await manager.reload(options({ servers, pool: { maxConnections: 7 } }));
    expect(connector.live.map(({ id }) => id)).toEqual([1, 2, 4]);
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    expect(connector.requests.slice(-2).map(({ connection }) => connection)).toEqual([1, 4]);
    expect(manager.pool("a")).toBe(pool);
    expect(manager.poolsOf("a").map((each) => each.stats().connections.max)).toEqual([7, 7]);
    expect(manager.stats().servers.a).toMatchObject({ priority: 5, tags: ["x"] });
    expect(manager.servers()).toEqual(["a", "b"]);
    expect(recorder.of("pool-reconfigured")).toHaveLength(3);
  });

  it("knows a connection by its key, where there is one", async () => {
    const { manager, options } = scriptedManager({ servers: { a: { connectionKey: "one" } } });
    await manager.callTool("a", CALL);
    const same = new ScriptedConnector();
    const other = new ScriptedConnector();
    await manager.reload(options({ servers: { a: { connector: same, connectionKey: "one" } } }));
    await manager.callTool("a", CALL);
    expect(same.connects).toEqual([]);
    await manager.reload(options({ servers: { a: { connector: other, connectionKey: "two" } } }));
    await manager.callTool("a", CALL);
    expect([same.connects.length, other.connects.length]).toEqual([0, 1]);
  });

  it("drains the old connections of a changed server, opens new ones, and loses no call", async () => {
    const { manager, connector, clock, options, recorder } = scriptedManager({ servers: { a: {} } });
    const pool = manager.pool("a");
    connector.onRequest.next(manual(), manual());
    const call = outcomeOf(manager.callTool("a", CALL));
    const own = outcomeOf(manager.callTool("a", CALL, { identity: "me" }));
    await clock.settle();
    const renewed = new ScriptedConnector({ clock });
    await manager.reload(options({ servers: { a: { connector: renewed } } }));
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    expect(renewed.connects.map(({ identity }) => identity)).toEqual([undefined, "me"]);
    expect(recorder.of("connection-retired").map(({ reason }) => reason)).toEqual(["reconfigured", "reconfigured"]);
    for (const each of connector.pendingOf("request")) each.resolve({ content: [] });
    await clock.settle();
    expect([call.state, own.state]).toEqual(["resolved", "resolved"]);
    expect(connector.live).toEqual([]);
    expect(manager.pool("a")).toBe(pool);
    await manager.close();
    expect(renewed.live).toEqual([]);
  });

  it("leaves callers in the queue, and serves them with the new connector", async () => {
    const { manager, connector, clock, options } = scriptedManager({ servers: { a: exclusive() } });
    connector.onConnect.next(manual());
    const waiting = outcomeOf(manager.acquire("a"));
    await clock.settle();
    const renewed = new ScriptedConnector({ clock });
    await manager.reload(options({ servers: { a: { ...exclusive(), connector: renewed } } }));
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    expect(renewed.connects).toHaveLength(1);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(connector.live).toEqual([]);
    waiting.value?.release();
    await manager.close();
  });

  it("closes what a changed sharing mode cannot keep, and loses no call", async () => {
    const scripted = scriptedManager({ servers: { a: {}, b: {} } });
    const { manager, connector, clock, options } = scripted;
    connector.onRequest.next(manual());
    const call = outcomeOf(manager.callTool("a", CALL));
    await clock.settle();
    const reloading = outcomeOf(
      manager.reload(options({ servers: { a: exclusive(), b: { identityRequired: true } } })),
    );
    await clock.settle();
    expect(manager.pool("a").stats().sharing).toBe("exclusive");
    await expect(manager.callTool("b", CALL)).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    expect(reloading.state).toBe("pending");
    connector.pendingOf("request")[0]?.resolve({ content: [] });
    await clock.settle();
    expect([call.state, reloading.state]).toEqual(["resolved", "resolved"]);
  });

  it("drains servers that are gone, and resolves when they are closed", async () => {
    const scripted = scriptedManager({ servers: { a: {}, b: {} } });
    const { manager, clock, options } = scripted;
    const [lease] = await acquireMany(manager, "a", 1);
    await manager.callTool("b", CALL);
    const reloading = outcomeOf(manager.reload(options({ servers: { b: {}, c: {} } })));
    await clock.advance(1_000);
    expect(reloading.state).toBe("pending");
    await expect(manager.acquire("a")).rejects.toMatchObject({ knownServers: ["b", "c"] });
    expect(await lease?.client.callTool(CALL)).toEqual({ content: [] });
    lease?.release();
    await clock.settle();
    expect(reloading.state).toBe("resolved");
    expect(openServers(scripted)).toEqual(["b"]);
  });

  it("puts the limit of requests in flight, and the interval of the clean-up, in force", async () => {
    const { manager, clock, options } = scriptedManager({ servers: { a: { maxConcurrentRequests: 1 } } });
    const held = await manager.acquire("a");
    const waiting = outcomeOf(manager.acquire("a"));
    await manager.reload(
      options({
        servers: { a: { maxConcurrentRequests: 2 } },
        pool: { maxIdleTimeMs: 1 },
        settings: { cleanupIntervalMs: 1_000 },
      }),
    );
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    held.release();
    waiting.value?.release();
    await manager.callTool("a", CALL, { identity: "me" });
    await clock.advance(3_000);
    expect(manager.poolsOf("a")).toHaveLength(1);
  });

  it.each<[string, ManagerSetup]>([
    ["a bad option of a server", { servers: { a: { pool: { maxConnections: 0 } }, c: {} } }],
    ["a bad option of every pool", { servers: { a: {}, c: {} }, pool: { maxConnections: -1 } }],
    ["a bad setting", { servers: { a: {}, c: {} }, max: 0 }],
    [
      "a plugin that is listed twice",
      {
        servers: { a: {}, c: {} },
        max: 3,
        plugins: [
          { name: "x", install: () => ({}) },
          { name: "x", install: () => ({}) },
        ],
      },
    ],
    [
      "a plugin that cannot be installed",
      {
        servers: { a: {}, b: exclusive(), c: {}, d: {} },
        max: 3,
        plugins: (name: string): readonly PoolPlugin[] => {
          if (name === "d") throw new Error("no");
          return [];
        },
      },
    ],
  ])("changes nothing when it meets %s", async (_what, setup) => {
    const scripted = scriptedManager({ max: 50, servers: { a: { tags: ["x"] }, b: {} } });
    const { manager, connector, recorder, options } = scripted;
    for (const name of ["a", "b"]) await manager.callTool(name, CALL);
    const pools = [...manager.pools.values()];
    recorder.clear();
    const before = JSON.stringify(manager.stats());
    await expect(manager.reload(options(setup))).rejects.toThrow();
    expect(JSON.stringify(manager.stats())).toBe(before);
    expect([...manager.pools.values()]).toEqual(pools);
    expect(manager.servers({ tag: "x" })).toEqual(["a"]);
    expect(recorder.of("pool-reconfigured")).toEqual([]);
    expect(recorder.of("connection-closed")).toEqual([]);
    for (const name of ["a", "b"]) await manager.callTool(name, CALL);
    expect(connector.connects).toHaveLength(2);
  });
});
