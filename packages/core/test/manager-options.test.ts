import { describe, expect, it } from "vitest";
import { McpConnectionManager, type PoolPlugin } from "../src/index.ts";
import { FakeClock, manual, ScriptedConnector } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "echo" };

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
