import { describe, expect, it } from "vitest";
import { McpConnectionPool, McpPoolError, type PoolEventListener, type PoolPlugin } from "../src/index.ts";
import { FakeClock, type ScriptedConnection, ScriptedConnector } from "../src/testing/index.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

const broken = new Error("broken hook");

function boom(): never {
  throw broken;
}

/** Changes the connections that a connector opens, as a faulty connector would. */
function spoil(connector: ScriptedConnector, change: (connection: ScriptedConnection) => void): void {
  const connect = connector.connect.bind(connector);
  connector.connect = async (request) => {
    const connection = await connect(request);
    change(connection);
    return connection;
  };
}

describe("a connection that cannot be listened to", () => {
  it.each(["onNotification", "onClosed"] as const)(
    "because %s throws is closed, and fails its caller as a connect does",
    async (method) => {
      const { pool, connector, clock, recorder } = scriptedPool({ maxConnections: 1 });
      let isBroken = true;
      spoil(connector, (connection) => {
        if (isBroken) connection[method] = boom;
      });
      const first = outcomeOf(pool.acquire());
      const second = outcomeOf(pool.acquire());
      await clock.settle();
      isBroken = false;
      await clock.advance(1_000);
      expect(first).toMatchObject({ state: "rejected", error: { code: "CONNECTION_FAILED", serverName: "files" } });
      expect(first.error).toHaveProperty("cause", broken);
      expect(connector.connection(1).closes).toEqual(["lost"]);
      const [opened, closed] = [recorder.of("connection-opened"), recorder.of("connection-closed")];
      expect([opened[0]?.connectionId, closed[0]?.connectionId]).toEqual([1, 1]);
      await clock.advance(60_000);
      // Its own connect may fail the second caller too, but it is never left waiting.
      expect(second.state).not.toBe("pending");
      second.value?.release();
    },
  );

  it("makes the warm-up fail, too", async () => {
    const { pool, connector } = scriptedPool({ minConnections: 1 });
    spoil(connector, (connection) => {
      connection.onClosed = boom;
    });
    await expect(pool.warmUp()).rejects.toMatchObject({ code: "CONNECTION_FAILED", cause: broken });
  });

  it("does not keep the pool from closing when it cannot be unlistened to either", async () => {
    const { pool, connector, clock, recorder } = scriptedPool({ maxConnections: 1 });
    spoil(connector, (connection) => {
      const listen = connection.onClosed.bind(connection);
      connection.onClosed = (listener) => {
        const unsubscribe = listen(listener);
        return () => {
          unsubscribe();
          boom();
        };
      };
    });
    (await pool.acquire()).discard();
    await clock.settle();
    expect(recorder.of("listener-failed")).toMatchObject([{ error: broken }]);
    expect(pool.stats().connections.total).toBe(0);
    (await pool.acquire()).release();
    await pool.close();
    expect(pool.stats().counters).toMatchObject({ created: 2, destroyed: 2 });
  });
});

describe("a listener", () => {
  const rejecting: PoolEventListener = () => Promise.reject(broken);

  it("that rejects is reported like one that throws, and changes nothing", async () => {
    const { pool, clock, recorder } = scriptedPool();
    pool.subscribe(rejecting, ["lease-acquired"]);
    (await pool.acquire()).release();
    await clock.settle();
    expect(recorder.of("listener-failed")).toMatchObject([{ error: broken }]);
  });

  it("that rejects whatever it hears of does not hear of itself for ever", async () => {
    const { pool, clock, recorder } = scriptedPool();
    pool.subscribe(rejecting);
    (await pool.acquire()).release();
    await clock.settle();
    const { types } = recorder;
    expect(types.filter((type) => type === "listener-failed").length).toBe(
      types.filter((type) => type !== "listener-failed").length,
    );
  });
});

describe("a plugin", () => {
  it("whose request wrap throws makes the request reject", async () => {
    const { pool } = scriptedPool({ plugins: [{ name: "faulty", install: () => ({ request: () => boom }) }] });
    const calling = pool.client.callTool({ name: "echo" });
    await expect(calling).rejects.toBe(broken);
  });

  const faulty: readonly (readonly [string, PoolPlugin])[] = [
    ["cannot be installed", { name: "faulty", install: boom }],
    ["cannot wrap connects", { name: "faulty", install: () => ({ connect: boom }) }],
    ["cannot wrap requests", { name: "faulty", install: () => ({ request: boom }) }],
  ];
  it.each(faulty)("that %s leaves nothing of the others behind", (_what, plugin) => {
    const clock = new FakeClock();
    const disposed: string[] = [];
    const health: PoolPlugin = {
      name: "health",
      install(control) {
        const timer = control.clock.setTimer(() => {}, 60_000);
        const dispose = () => {
          timer.cancel();
          disposed.push("health");
        };
        return { dispose };
      },
    };
    const unruly: PoolPlugin = { name: "unruly", install: () => ({ dispose: boom }) };
    const connector = new ScriptedConnector({ clock });
    expect(() => new McpConnectionPool(connector, {}, [unruly, health, plugin], { clock })).toThrow(broken);
    expect(disposed).toEqual(["health"]);
    expect(clock.pending).toEqual([]);
  });

  it("whose admit throws refuses, and strands nobody", async () => {
    let isBroken = false;
    const admit = () => (isBroken ? boom() : undefined);
    const { pool, clock } = scriptedPool({
      maxConnections: 1,
      maxRequestsPerConnection: 1,
      plugins: [{ name: "faulty", install: () => ({ admit }) }],
    });
    const lease = await pool.acquire();
    const waiting = [outcomeOf(pool.acquire()), outcomeOf(pool.request("ping"))];
    isBroken = true;
    await expect(pool.acquire()).rejects.toMatchObject({ code: "CONNECTION_FAILED", cause: broken });
    expect(pool.tryAcquire()).toBeUndefined();
    lease.release();
    await clock.settle();
    for (const { error } of waiting) {
      expect(McpPoolError.isInstance(error)).toBe(true);
      expect(error).toHaveProperty("cause", broken);
      expect(error).toHaveProperty("message", expect.stringContaining('plugin "faulty"'));
    }
    isBroken = false;
    (await pool.acquire()).release();
  });

  it("whose admit throws an error of the pool's kind refuses with it", async () => {
    const refusal = new McpPoolError("CIRCUIT_OPEN", "open");
    const admit = () => {
      throw refusal;
    };
    const { pool } = scriptedPool({ plugins: [{ name: "faulty", install: () => ({ admit }) }] });
    await expect(pool.acquire()).rejects.toBe(refusal);
  });
});
