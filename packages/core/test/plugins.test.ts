import { describe, expect, it } from "vitest";
import { idleTimeout } from "../src/idle-timeout.ts";
import { CIRCUIT_BREAKER, CircuitBreakerOpenError, McpConfigurationError, type PoolPlugin } from "../src/index.ts";
import { leakDetector } from "../src/leak-detector.ts";
import { maxLifetime } from "../src/max-lifetime.ts";
import { pluginContract } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

/** A plugin that writes down when its wraps are entered and left. */
function scribe(name: string, log: string[]): PoolPlugin {
  return {
    name,
    install: () => ({
      connect: (next) => async (request) => {
        log.push(`${name} connect`);
        const connection = await next(request);
        log.push(`${name} connected`);
        return connection;
      },
      request: (next) => async (request) => {
        log.push(`${name} request`);
        const result = await next(request);
        log.push(`${name} result`);
        return result;
      },
    }),
  };
}

describe("plugins", () => {
  it("wrap requests and connects, the first one outermost", async () => {
    const log: string[] = [];
    const { pool } = scriptedPool({ plugins: [scribe("a", log), scribe("b", log)] });
    await pool.request("ping");
    expect(log).toEqual([
      "a request",
      "b request",
      "a connect",
      "b connect",
      "b connected",
      "a connected",
      "b result",
      "a result",
    ]);
  });

  it("wrap requests through a lease as well, and see the lease", async () => {
    const leases: unknown[] = [];
    const { pool } = scriptedPool({
      plugins: [
        {
          name: "spy",
          install: () => ({
            request: (next) => (request) => {
              leases.push(request.lease);
              return next(request);
            },
          }),
        },
      ],
    });
    const lease = await pool.acquire();
    await lease.request("ping");
    await pool.request("ping");
    expect(leases).toEqual([lease, undefined]);
    lease.release();
  });

  it("may run a request again, each time with a wait of its own", async () => {
    const attempts: unknown[] = [];
    const { pool, connector } = exclusivePool({
      maxConnections: 1,
      plugins: [
        {
          name: "twice",
          install: () => ({
            request: (next) => async (request) => {
              await next(request);
              attempts.push(request.connectionId);
              return next(request);
            },
          }),
        },
      ],
    });
    await pool.request("ping");
    expect([attempts, connector.requests.length]).toEqual([[1], 2]);
    expect(pool.stats()).toMatchObject({ inFlight: 0, counters: { borrowed: 2, returned: 2 } });
  });

  it("may refuse every acquire, and those who wait when their turn comes", async () => {
    const refusal = new CircuitBreakerOpenError("the circuit is open", { retryAfterMs: 5 });
    let isOpen = false;
    const { pool, clock, recorder } = exclusivePool({
      maxConnections: 1,
      plugins: [{ name: "gate", install: () => ({ admit: () => (isOpen ? refusal : undefined) }) }],
    });
    const lease = await pool.acquire();
    const waiting = [outcomeOf(pool.acquire()), outcomeOf(pool.request("ping"))];
    isOpen = true;
    await expect(pool.acquire()).rejects.toBe(refusal);
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["pending", "pending"]);
    lease.release();
    await clock.settle();
    expect(waiting.map(({ error }) => error)).toEqual([refusal, refusal]);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats()).toMatchObject({ inFlight: 0, counters: { errors: { circuitOpen: 3 } } });
    expect(recorder.of("acquire-failed").map(({ error }) => error)).toEqual([refusal, refusal, refusal]);
    isOpen = false;
    pool.tryAcquire()?.release();
    expect(pool.stats().counters.hits).toBe(1);
  });

  it("offer a handle under their name", () => {
    const handle = { state: "closed" };
    const { pool } = scriptedPool({ plugins: [{ name: CIRCUIT_BREAKER, install: () => ({ handle }) }] });
    expect(pool.plugin(CIRCUIT_BREAKER)).toBe(handle);
    expect(pool.circuitBreaker).toBe(handle);
    expect(pool.plugin("other")).toBeUndefined();
  });

  it("that are missing are named: the circuit breaker's package", () => {
    const { pool } = scriptedPool();
    expect(() => pool.circuitBreaker).toThrow(McpConfigurationError);
    expect(() => pool.circuitBreaker).toThrow("@mcp-pool/breaker");
  });

  it("must have names of their own", () => {
    const plugin: PoolPlugin = { name: "twin", install: () => ({}) };
    expect(() => scriptedPool({ plugins: [plugin, plugin] })).toThrow('plugin "twin" is listed twice');
  });

  it("are installed once per pool", () => {
    const names: string[] = [];
    const plugin: PoolPlugin = {
      name: "counter",
      install: ({ poolName, serverName, identity, options }) => {
        names.push(`${poolName} ${serverName} ${identity} ${options.maxConnections}`);
        return {};
      },
    };
    scriptedPool({ plugins: [plugin], environment: () => ({ identity: "alice", poolName: "a" }) });
    scriptedPool({ plugins: [plugin], maxConnections: 3 });
    expect(names).toEqual(["a files alice 10", "files files undefined 3"]);
  });

  it("are disposed last, after pool-closed", async () => {
    const log: string[] = [];
    const { pool } = scriptedPool({
      plugins: [
        {
          name: "last",
          install: (control) => {
            control.subscribe(({ type }) => log.push(type), ["connection-closed", "pool-closed"]);
            return { dispose: () => log.push("disposed") };
          },
        },
      ],
    });
    await pool.request("ping");
    await pool.close();
    expect(log).toEqual(["connection-closed", "pool-closed", "disposed"]);
  });

  it("are all disposed, though one of them throws: it is reported", async () => {
    const error = new Error("a plugin's bug");
    let disposed = 0;
    const throws = () => {
      throw error;
    };
    const { pool, recorder } = scriptedPool({
      plugins: [
        { name: "bad", install: () => ({ dispose: throws }) },
        { name: "good", install: () => ({ dispose: () => void disposed++ }) },
      ],
    });
    await pool.close();
    expect(disposed).toBe(1);
    expect(recorder.of("listener-failed")).toMatchObject([{ error }]);
  });

  it("see the pool, and act on it, through their control", async () => {
    let control: Parameters<PoolPlugin["install"]>[0] | undefined;
    const { pool, connector, clock, recorder } = scriptedPool({
      minConnections: 1,
      plugins: [
        {
          name: "operator",
          install: (own) => {
            control = own;
            return {};
          },
        },
      ],
    });
    const lease = await pool.acquire();
    const [connection] = control?.connections() ?? [];
    expect(connection).toMatchObject({
      id: 1,
      state: "ready",
      inFlight: 1,
      room: 16,
      uses: 1,
      era: "legacy",
      isPinned: false,
      stickyKey: undefined,
      server: { name: "scripted" },
      endpoint: { transport: "in-memory" },
    });
    expect(control?.stats()).toEqual(pool.stats());
    if (connection !== undefined) control?.retire(connection, "evicted");
    lease.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["evicted"]);
    if (connection !== undefined) control?.retire(connection, "evicted");
    control?.emit({ type: "listener-failed", error: "told" });
    expect(recorder.of("listener-failed")).toMatchObject([{ error: "told", serverName: "files" }]);
    pool.reconfigure({ minConnections: 0, maxConnections: 5 });
    expect(control?.options.maxConnections).toBe(5);
  });

  it("see a rejection where one further in throws", async () => {
    const seen: unknown[] = [];
    const watching: PoolPlugin = {
      name: "watching",
      install: () => ({
        request: (next) => (request) =>
          next(request).catch((error: unknown) => Promise.reject(seen.push(error) && error)),
        connect: (next) => (request) =>
          next(request).catch((error: unknown) => Promise.reject(seen.push(error) && error)),
      }),
    };
    const thrown = { request: new Error("in a request"), connect: new Error("in a connect") };
    let isConnecting = true;
    const throwing: PoolPlugin = {
      name: "throwing",
      install: () => ({
        request: () => () => {
          throw thrown.request;
        },
        connect: (next) => (request) => {
          if (!isConnecting) return next(request);
          isConnecting = false;
          throw thrown.connect;
        },
      }),
    };
    const { pool } = scriptedPool({ plugins: [watching, throwing] });
    await expect(pool.acquire()).rejects.toMatchObject({ cause: thrown.connect });
    await expect(pool.request("ping")).rejects.toBe(thrown.request);
    expect(seen).toEqual([thrown.connect, thrown.request]);
  });
});

describe.each([idleTimeout, maxLifetime, leakDetector].map((plugin) => [plugin.name, plugin] as const))(
  "the plugin %s",
  (_name, plugin) => {
    const own = { name: `${plugin.name}-again`, install: plugin.install.bind(plugin) };
    it.each(pluginContract(() => own))("$name", ({ run }) => run());
  },
);
