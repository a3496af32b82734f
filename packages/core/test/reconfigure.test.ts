import { describe, expect, it } from "vitest";
import { McpConfigurationError, McpConnectionPool } from "../src/index.ts";
import { FakeClock, manual, ScriptedConnector } from "../src/testing/index.ts";
import { acquireMany, allowAboveMaximum, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("new options", () => {
  it("are in force at once, and callers stay in the queue", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 1 });
    const lease = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    recorder.clear();
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 2 });
    await clock.settle();
    allowAboveMaximum(pool);
    expect([waiting.state, connector.connects.length]).toEqual(["resolved", 2]);
    expect(recorder.types[0]).toBe("pool-reconfigured");
    expect(pool.stats().connections).toMatchObject({ min: 0, max: 2 });
    lease.release();
    waiting.value?.release();
  });

  it("keep what is open when the maximum still allows it, and close only what is too much, the least recently used", async () => {
    const { pool, connector, clock } = exclusivePool();
    for (const lease of await acquireMany(pool, 5)) lease.release();
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 3 });
    await clock.settle();
    expect(connector.live.map(({ id }) => id).sort()).toEqual([3, 4, 5]);
    expect(connector.connections.flatMap(({ closes }) => closes)).toEqual(["reconfigured", "reconfigured"]);
  });

  it("close the least recently used ones also when the room on all of them changes", async () => {
    const { pool, connector, clock } = scriptedPool({
      maxConnections: 3,
      maxRequestsPerConnection: 2,
      validateOnAcquire: false,
    });
    const leases = await acquireMany(pool, 6);
    for (const connectionId of [1, 2, 3]) {
      for (const lease of leases) if (lease.connectionId === connectionId) lease.release();
      await clock.advance(1_000);
    }
    pool.reconfigure({ minConnections: 0, maxConnections: 2, maxRequestsPerConnection: 3 });
    expect(connector.connections.map(({ closes }) => closes)).toEqual([["reconfigured"], [], []]);
    expect(pool.stats()).toMatchObject({ room: 6, connections: { ready: 2 } });
  });

  it("let what is in use drain when it is too much", async () => {
    const { pool, connector, clock } = exclusivePool();
    const leases = await acquireMany(pool, 3);
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 1 });
    expect(pool.stats().connections).toMatchObject({ busy: 1, draining: 2 });
    for (const lease of leases) await lease.request("ping");
    for (const lease of leases) lease.release();
    await clock.settle();
    expect(connector.live).toHaveLength(1);
  });

  it("change the room on connections that are open", async () => {
    const { pool, connector, clock } = scriptedPool({ maxRequestsPerConnection: 1, maxConnections: 1 });
    connector.onRequest.always(manual());
    const requests = Array.from({ length: 3 }, () => outcomeOf(pool.request("ping")));
    await clock.settle();
    expect(connector.requests).toHaveLength(1);
    pool.reconfigure({ minConnections: 0, maxConnections: 1, maxRequestsPerConnection: 2 });
    await clock.settle();
    expect(connector.requests).toHaveLength(2);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(requests.map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved"]);
  });

  it("let no new work on a connection whose room became smaller than what is on it", async () => {
    const { pool, connector, clock } = scriptedPool({ maxRequestsPerConnection: 3, maxConnections: 1 });
    connector.onRequest.always(manual());
    const requests = Array.from({ length: 5 }, () => outcomeOf(pool.request("ping")));
    await clock.settle();
    pool.reconfigure({ minConnections: 0, maxConnections: 1, maxRequestsPerConnection: 1 });
    const inFlight = [];
    while (connector.pending.length > 0) {
      inFlight.push(connector.pending.length);
      connector.pending[0]?.resolve();
      await clock.settle();
    }
    expect(inFlight).toEqual([3, 2, 1, 1, 1]);
    expect(requests.every(({ state }) => state === "resolved")).toBe(true);
  });

  it("open a higher minimum", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 1 });
    await pool.warmUp();
    pool.reconfigure({ minConnections: 3 });
    await clock.settle();
    expect(connector.live).toHaveLength(3);
  });

  it("apply to time-outs, idle times, lifetimes and caches from now on", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.listTools();
    pool.reconfigure({
      minConnections: 0,
      requestTimeoutMs: 70,
      maxIdleTimeMs: 1_000,
      cleanupIntervalMs: 500,
      maxLifetimeMs: 100_000,
      toolListTtlMs: 200,
    });
    connector.onRequest.next(manual());
    const request = outcomeOf(pool.request("slow"));
    await clock.advance(70);
    expect(request.error).toMatchObject({ code: "TIMEOUT" });
    connector.pending[0]?.resolve();
    await clock.advance(1_600);
    expect(connector.live).toEqual([]);
  });

  it("apply to the list of tools that is fetched next", async () => {
    const { pool, connector, clock } = scriptedPool();
    pool.reconfigure({ minConnections: 0, toolListTtlMs: 200 });
    await pool.listTools();
    await clock.advance(199);
    await pool.listTools();
    expect(connector.requests).toHaveLength(1);
    await clock.advance(1);
    await pool.listTools();
    expect(connector.requests).toHaveLength(2);
  });

  it("are refused as a whole when one is wrong", async () => {
    const { pool } = scriptedPool({ maxConnections: 4 });
    expect(() => pool.reconfigure({ maxConnections: 0, maxWaiting: -1 })).toThrow(McpConfigurationError);
    expect(() => pool.reconfigure({ sharing: "exclusive" })).toThrow("sharing");
    expect(pool.stats().connections.max).toBe(4);
  });
});

describe("a new connector", () => {
  it("gets all new connections, while those of the old one drain", async () => {
    const { pool, connector, clock } = scriptedPool();
    const lease = await pool.acquire();
    const next = new ScriptedConnector({ clock });
    pool.reconfigure({ minConnections: 0 }, next);
    await pool.request("new");
    await lease.request("old");
    expect([connector.requests.length, next.requests.length]).toEqual([1, 1]);
    lease.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["reconfigured"]);
    expect(pool.stats().connections.total).toBe(1);
  });

  it("need not wait for the places of the old ones", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1 });
    const old = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 1 }, new ScriptedConnector({ clock }));
    await clock.settle();
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 2]);
    old.release();
    waiting.value?.release();
    await clock.settle();
    const [first, second] = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.settle();
    expect([first.state, second.state]).toEqual(["resolved", "pending"]);
    first.value?.release();
    await clock.settle();
    second.value?.release();
  });

  it("serves those who waited for a connect of the old one", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.always(manual());
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    const next = new ScriptedConnector({ clock });
    pool.reconfigure({ sharing: "exclusive", minConnections: 0 }, next);
    await clock.settle();
    expect([waiting.state, next.connects.length]).toEqual(["resolved", 1]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["unneeded"]);
    waiting.value?.release();
  });

  it("says anew what a connection can carry", async () => {
    const { pool, clock } = scriptedPool({ connector: { concurrency: 16 } });
    await pool.request("ping");
    expect(pool.stats().room).toBe(160);
    pool.reconfigure({ minConnections: 0 }, new ScriptedConnector({ clock, concurrency: 4 }));
    expect(pool.stats().room).toBe(40);
  });

  it("is tried at once, though the old one was failing", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onConnect.always({ kind: "fail", error: new Error("refused") });
    const outcomes = Array.from({ length: 3 }, () => outcomeOf(pool.request("ping")));
    await clock.settle();
    expect(outcomes.map(({ state }) => state)).toEqual(["rejected", "rejected", "pending"]);
    pool.reconfigure({ minConnections: 0 }, new ScriptedConnector({ clock }));
    await clock.settle();
    expect(outcomes[2]?.state).toBe("resolved");
  });

  it("changes nothing when it is the same one", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.request("ping");
    pool.reconfigure({ minConnections: 0 }, connector);
    await clock.settle();
    expect(connector.connection(1).closes).toEqual([]);
  });

  it("makes the pool ask for the tools again", async () => {
    const { pool, clock } = scriptedPool();
    await pool.listTools();
    const next = new ScriptedConnector({ clock });
    pool.reconfigure({ minConnections: 0 }, next);
    await pool.listTools();
    expect(next.requests).toHaveLength(1);
  });
});

describe("options that are wrong", () => {
  it("are refused together, each with its path", () => {
    const options = {
      minConnections: 3,
      maxConnections: 0,
      maxIdleTimeMs: -1,
      maxUses: 1.5,
      maxWaiting: Number.NaN,
      acquireTimeoutMs: "10s",
      sharing: "some",
      onRelease: "burn",
      validateOnAcquire: "yes",
      maxConnection: 5,
    };
    let error: unknown;
    try {
      new McpConnectionPool(new ScriptedConnector(), options as never, [], { clock: new FakeClock() });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(McpConfigurationError);
    expect(error).toMatchObject({ code: "INVALID_CONFIGURATION" });
    expect((error as McpConfigurationError).issues.map(({ path }) => path).sort()).toEqual(
      Object.keys(options)
        .filter((name) => name !== "minConnections")
        .sort(),
    );
  });

  it.each([
    [{ minConnections: 3, maxConnections: 2 }, "minConnections"],
    [{ maxConnections: Infinity }, "maxConnections"],
    [{ maxConnections: 1.5 }, "maxConnections"],
    [{ connectionTimeoutMs: 0 }, "connectionTimeoutMs"],
    [{ minConnections: -1 }, "minConnections"],
  ])("such as %o", (options, path) => {
    expect(() => new McpConnectionPool(new ScriptedConnector(), options)).toThrow(path);
  });

  it("do not include a maximum below the default minimum", () => {
    const pool = new McpConnectionPool(new ScriptedConnector(), { maxConnections: 1 }, [], { clock: new FakeClock() });
    expect(pool.stats().connections).toMatchObject({ min: 1, max: 1 });
  });
});
