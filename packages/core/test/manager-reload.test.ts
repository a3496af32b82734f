import { describe, expect, it } from "vitest";
import { McpConnectionManager, type PoolPlugin } from "../src/index.ts";
import { EventRecorder, FakeClock, fail, manual, ok, ScriptedConnector } from "../src/testing/index.ts";
import { acquireMany, exclusive, type ManagerSetup, openServers, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "echo" };

describe("adding a server", () => {
  it("makes it available at once", async () => {
    const { manager, connector } = scriptedManager({ max: 1, servers: {} });
    manager.addServer("a", { connector, tags: ["new"], pool: { minConnections: 0 } });
    await manager.callTool("a", CALL);
    expect(manager.servers({ tag: "new" })).toEqual(["a"]);
    expect(manager.stats().totalConnections).toBe(1);
  });

  it("fails for a name that is taken, and for bad options", () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    const add = (name: string, definition: object) => () => manager.addServer(name, { connector, ...definition });
    expect(add("a", {})).toThrow(
      expect.objectContaining({ issues: [{ path: "servers.a", message: "is there already" }] }),
    );
    expect(add("b", { connector: {} })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path: "servers.b.connector" })] }),
    );
    expect(add("b", { pool: { maxConnections: 0 } })).toThrow(/servers\.b\.pool\.maxConnections/);
    expect(manager.servers()).toEqual(["a"]);
  });

  it("fails after close", async () => {
    const { manager, connector } = scriptedManager({ servers: {} });
    await manager.close();
    expect(() => manager.addServer("a", { connector })).toThrow(expect.objectContaining({ code: "POOL_CLOSED" }));
    await expect(manager.reload({ servers: {} })).rejects.toMatchObject({ code: "POOL_CLOSED" });
  });
});

describe("removing a server", () => {
  it("takes no more calls, lets work under way end, and closes every pool of it", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {}, b: {} } });
    connector.onRequest.next(manual());
    const call = manager.callTool("a", CALL);
    const lease = await manager.acquire("a", { identity: "me" });
    await clock.settle();
    const removing = outcomeOf(manager.removeServer("a"));
    await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ knownServers: ["b"] });
    expect(manager.servers()).toEqual(["b"]);
    await clock.advance(1_000);
    expect(removing.state).toBe("pending");
    connector.pendingOf("request")[0]?.resolve({ content: [] });
    expect(await call).toEqual({ content: [] });
    lease.release();
    await clock.settle();
    expect(removing.state).toBe("resolved");
    expect(connector.live).toEqual([]);
  });

  it("waits no longer than it is told to", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    await manager.acquire("a");
    const removing = outcomeOf(manager.removeServer("a", { drainTimeoutMs: 500 }));
    await clock.advance(499);
    expect(removing.state).toBe("pending");
    await clock.advance(1);
    expect(removing.state).toBe("resolved");
    expect(connector.live).toEqual([]);
  });

  it("fails for a server that is not there", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    await expect(manager.removeServer("b")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });

  it("is waited for by a close that comes meanwhile", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    await manager.acquire("a");
    const removing = outcomeOf(manager.removeServer("a", { drainTimeoutMs: 5_000 }));
    const closing = outcomeOf(manager.close({ drainTimeoutMs: 0 }));
    await clock.advance(4_999);
    expect([closing.state, connector.live.length]).toEqual(["pending", 1]);
    await clock.advance(1);
    expect([removing.state, closing.state, connector.live.length]).toEqual(["resolved", "resolved", 0]);
  });
});

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

describe("warming up", () => {
  it("opens the minimum of one server, or of all", async () => {
    const { manager, connector } = scriptedManager({ pool: { minConnections: 2 }, servers: { a: {}, b: {}, c: {} } });
    await manager.warmUp("b");
    expect(connector.connects.map(({ serverName }) => serverName)).toEqual(["b", "b"]);
    await manager.warmUp();
    expect(connector.connects.map(({ serverName }) => serverName).sort()).toEqual(["a", "a", "b", "b", "c", "c"]);
    await expect(manager.warmUp("nowhere")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });

  it("rejects when a connect fails, and after close", async () => {
    const { manager, connector } = scriptedManager({ pool: { minConnections: 1 }, servers: { a: {} } });
    connector.onConnect.next(fail(new Error("refused")));
    await expect(manager.warmUp()).rejects.toMatchObject({ code: "CONNECTION_FAILED", serverName: "a" });
    await manager.close();
    await expect(manager.warmUp()).rejects.toMatchObject({ code: "POOL_CLOSED" });
  });
});

describe("a manager's events", () => {
  it("are those of all pools, of pools made later too", async () => {
    const { manager, connector, recorder } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    manager.addServer("b", { connector, pool: { minConnections: 0 } });
    await manager.callTool("b", CALL);
    expect(recorder.of("connection-opened").map(({ serverName, identity }) => [serverName, identity])).toEqual([
      ["a", undefined],
      ["a", "me"],
      ["b", undefined],
    ]);
    await manager.removeServer("b");
    expect(recorder.of("pool-closed")).toMatchObject([{ serverName: "b" }]);
  });

  it("are only those of the types asked for, until the listener leaves", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    const heard: string[] = [];
    const unsubscribe = manager.subscribe((event) => heard.push(event.type), ["request-finished"]);
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "one" });
    expect(heard).toEqual(["request-finished", "request-finished"]);
    unsubscribe();
    unsubscribe();
    for (const identity of [undefined, "one", "two"]) await manager.callTool("a", CALL, { identity });
    expect(heard).toHaveLength(2);
  });

  it("reach everybody else when a listener throws, and hurt no call", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    const unsubscribe = manager.subscribe(() => {
      throw new Error("bad listener");
    });
    const later = new EventRecorder(manager);
    await manager.callTool("a", CALL);
    expect(later.types).toContain("connection-opened");
    expect(later.types).toContain("request-finished");
    expect(later.of("listener-failed")[0]).toMatchObject({
      error: expect.objectContaining({ message: "bad listener" }),
    });
    unsubscribe();
    later.stop();
  });
});

describe("closing a manager", () => {
  it("rejects those who wait, lets work under way end, and closes every connection of every pool", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: exclusive({ maxConnections: 1 }), b: {} } });
    const lease = await manager.acquire("a");
    const waiting = outcomeOf(manager.acquire("a"));
    connector.onRequest.next(manual());
    const call = outcomeOf(manager.callTool("b", CALL, { identity: "me" }));
    await clock.settle();
    const closing = outcomeOf(manager.close());
    await clock.settle();
    expect(waiting).toMatchObject({ state: "rejected", error: { code: "POOL_CLOSED" } });
    await expect(manager.acquire("a")).rejects.toMatchObject({ code: "POOL_CLOSED" });
    await expect(manager.acquire("nowhere")).rejects.toMatchObject({ code: "POOL_CLOSED" });
    connector.pendingOf("request")[0]?.resolve({ content: [] });
    lease.release();
    await clock.settle();
    expect([call.state, closing.state]).toEqual(["resolved", "resolved"]);
    expect(connector.live).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  it("waits for work under way no longer than it is told to", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    await manager.acquire("a");
    const closing = outcomeOf(manager.close({ drainTimeoutMs: 300 }));
    await clock.advance(299);
    expect(closing.state).toBe("pending");
    await clock.advance(1);
    expect(closing.state).toBe("resolved");
    expect(connector.live).toEqual([]);
  });

  it("is what `await using` does at the end", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    await manager[Symbol.asyncDispose]();
    expect(connector.live).toEqual([]);
    await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "POOL_CLOSED" });
  });

  it("may be asked for again", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    expect(manager.close()).toBe(manager.close());
    await manager.close();
    expect(connector.connection(1).closes).toEqual(["pool-closed"]);
  });

  it("keeps no process alive by its own housekeeping", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    expect(clock.pending.filter(({ isRef }) => isRef)).toEqual([]);
  });

  it("needs one timer for the deadlines of all its pools", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {}, b: {} } });
    connector.onRequest.always(manual());
    const calls = ["a", "b"].flatMap((name) =>
      ["one", "two"].map((identity) => outcomeOf(manager.callTool(name, CALL, { identity }))),
    );
    await clock.settle();
    expect(clock.pending.filter(({ isRef }) => isRef)).toHaveLength(1);
    for (const call of connector.pendingOf("request")) call.resolve({ content: [] });
    await clock.settle();
    expect(calls.map(({ state }) => state)).toEqual(Array(4).fill("resolved"));
  });

  it("ends in bounded time even if a connection never closes", async () => {
    const clock = new FakeClock();
    const connector = new ScriptedConnector({ clock });
    const manager = new McpConnectionManager({ clock, servers: { a: { connector, pool: { minConnections: 0 } } } });
    connector.onClose.next(manual());
    await manager.callTool("a", CALL);
    const closing = outcomeOf(manager.close());
    await clock.advance(10_000);
    expect(closing.state).toBe("resolved");
    expect(manager.stats().totalConnections).toBe(0);
    expect(clock.pending).toEqual([]);
    connector.onClose.always(ok());
  });
});

describe("a manager's options", () => {
  it("are checked, and every problem is told at once", () => {
    const connector = new ScriptedConnector();
    const bad = () =>
      new McpConnectionManager({
        pool: { maxConnections: 2, minConnections: 3 },
        settings: { maxTotalConnections: 0, cleanupIntervalMs: Number.NaN, ...({ unknown: 1 } as object) },
        servers: {
          "": { connector },
          a: { connector: {} as unknown as ScriptedConnector },
          b: {
            connector,
            priority: Number.NaN,
            maxConcurrentRequests: 0.5,
            requestTimeoutMs: -1,
            tags: "production" as unknown as string[],
            identityRequired: "yes" as unknown as boolean,
            pool: { maxConnections: 1.5, minConnections: 0, ...({ maxConections: 3 } as object) },
          },
          c: { connector, priority: -Infinity },
          d: { connector, ...({ pools: {} } as object) },
        },
      });
    expect(bad).toThrow(
      expect.objectContaining({
        name: "McpConfigurationError",
        issues: expect.objectContaining({ length: 15 }),
      }),
    );
    expect(bad).toThrow(
      expect.objectContaining({
        issues: expect.arrayContaining(
          [
            "pool.minConnections",
            "settings.maxTotalConnections",
            "settings.cleanupIntervalMs",
            "settings.unknown",
            "servers.",
            "servers.a.connector",
            "servers.b.priority",
            "servers.b.maxConcurrentRequests",
            "servers.b.requestTimeoutMs",
            "servers.b.tags",
            "servers.b.identityRequired",
            "servers.b.pool.maxConnections",
            "servers.b.pool.maxConections",
            "servers.c.priority",
            "servers.d.pools",
          ].map((path) => expect.objectContaining({ path })),
        ),
      }),
    );
  });

  it("say once what is wrong for all servers", () => {
    const connector = new ScriptedConnector();
    const make = () =>
      new McpConnectionManager({ pool: { maxConnections: 0 }, servers: { a: { connector }, b: { connector } } });
    expect(make).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path: "pool.maxConnections" })] }),
    );
  });

  it("of a server go before those of all, where they are set", async () => {
    const { manager } = scriptedManager({
      pool: { maxConnections: 5, requestTimeoutMs: 1_000 },
      servers: { a: { pool: { maxConnections: 3, minConnections: undefined } }, b: { requestTimeoutMs: 50 }, c: {} },
    });
    expect(manager.pool("a").stats().connections).toMatchObject({ min: 0, max: 3 });
    expect(manager.pool("c").stats().connections.max).toBe(5);
  });

  it("conflict where a server's maximum is below the minimum of all", () => {
    const connector = new ScriptedConnector();
    const make = () =>
      new McpConnectionManager({
        pool: { minConnections: 2 },
        servers: { a: { connector, pool: { maxConnections: 1 } } },
      });
    expect(make).toThrow(/servers\.a\.pool\.minConnections.*2 > 1/);
  });

  it.each([
    ["requestTimeoutMs", { requestTimeoutMs: 50 }, 50],
    ["pool.requestTimeoutMs before requestTimeoutMs", { requestTimeoutMs: 500, pool: { requestTimeoutMs: 50 } }, 50],
    ["the requestTimeoutMs of all servers", {}, 1_000],
  ])("bound a request by %s", async (_what, definition, limitMs) => {
    const { manager, connector, clock } = scriptedManager({
      pool: { requestTimeoutMs: 1_000 },
      servers: { a: definition },
    });
    connector.onRequest.always(manual());
    const call = outcomeOf(manager.callTool("a", CALL));
    await clock.advance(limitMs - 1);
    expect(call.state).toBe("pending");
    await clock.advance(1);
    expect(call).toMatchObject({ state: "rejected", error: { code: "TIMEOUT" } });
  });

  it("may give each server plugins of its own", async () => {
    const installed: string[] = [];
    const plugins = (server: string): readonly PoolPlugin[] => [
      {
        name: `for-${server}`,
        install: ({ poolName, identity }) => {
          installed.push(`${server} ${poolName} ${identity}`);
          return {};
        },
      },
    ];
    const { manager, connector } = scriptedManager({ servers: { a: {} }, plugins });
    await manager.callTool("a", CALL, { identity: "me" });
    manager.addServer("b", { connector });
    expect(installed).toEqual(["a a undefined", `a ${manager.poolsOf("a")[1]?.name} me`, "b b undefined"]);
  });

  it("leave nothing behind when a plugin cannot be installed", async () => {
    const disposed: string[] = [];
    const plugins = (server: string): readonly PoolPlugin[] => {
      if (server === "b") throw new Error("no");
      return [{ name: "x", install: () => ({ dispose: () => disposed.push(server) }) }];
    };
    const connector = new ScriptedConnector();
    const clock = new FakeClock();
    const servers = { a: { connector }, b: { connector } };
    expect(() => new McpConnectionManager({ clock, plugins, servers })).toThrow("no");
    await clock.settle();
    expect(disposed).toEqual(["a"]);
    expect(clock.pending).toEqual([]);
  });
});
