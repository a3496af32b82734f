import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  type Lease,
  McpConnectionPool,
  McpPoolClosedError,
  McpPoolExhaustedError,
  type PoolPlugin,
} from "../src/index.ts";
import { createServerState } from "../src/pool-environment.ts";
import type { ServerState } from "../src/server-state.ts";
import { FakeClock, hang, manual, ScriptedConnector } from "../src/testing/index.ts";
import { acquireMany, admitting, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

setFlagsFromString("--expose_gc");
const collectGarbage = runInNewContext("gc") as () => void;

describe("a caller without options", () => {
  it("gets no lease of a pool that is about to close, from within a listener", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 2 });
    const kept = await pool.acquire({ stickyKey: "a" });
    const follower = outcomeOf(pool.acquire({ stickyKey: "a" }));
    (await pool.acquire()).release();
    const inner: ReturnType<typeof outcomeOf<Lease>>[] = [];
    const unsubscribe = pool.subscribe(() => {
      unsubscribe();
      inner.push(outcomeOf(pool.acquire()));
    }, ["acquire-failed"]);
    const closing = outcomeOf(pool.close());
    await clock.settle();
    expect(follower.error).toBeInstanceOf(McpPoolClosedError);
    expect(inner.map(({ error }) => error)).toEqual([expect.any(McpPoolClosedError)]);
    kept.release();
    await clock.settle();
    expect(closing.state).toBe("resolved");
  });

  it("is asked about by no pool that is closed, whose plugins have ended", async () => {
    let asked = 0;
    const { pool } = scriptedPool({ plugins: [admitting(() => asked++)] });
    await pool.close();
    await expect(pool.acquire()).rejects.toBeInstanceOf(McpPoolClosedError);
    expect([pool.tryAcquire(), asked]).toEqual([undefined, 0]);
  });

  it("is asked about once, whether it is admitted or not", async () => {
    let asked = 0;
    const plugin = admitting(() => asked++);
    const { pool } = scriptedPool({
      plugins: [plugin],
      environment: (own, connector) => ({ server: createServerState(own, connector, 5) }),
    });
    (await pool.acquire()).release();
    asked = 0;
    (await pool.acquire()).release();
    expect(asked).toBe(1);
  });

  it("has a connection opened for it behind others, too, where nobody listens", async () => {
    const clock = new FakeClock();
    const connector = new ScriptedConnector({ clock });
    const options = { sharing: "exclusive", minConnections: 0, maxConnections: 4 } as const;
    const pool = new McpConnectionPool(connector, options, [], { clock });
    connector.onConnect.always(manual());
    const leases = Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    await clock.settle();
    expect(connector.connects).toHaveLength(4);
    for (const each of [...connector.pending]) each.resolve();
    for (const lease of await leases) lease.release();
    await pool.close();
  });

  it("is refused by a plugin although a connection is free", async () => {
    const refusal = new McpPoolExhaustedError("not now");
    let isRefusing = false;
    const plugin: PoolPlugin = {
      name: "refusing",
      install: () => ({ admit: (asker) => (isRefusing && asker === "lease" ? refusal : undefined) }),
    };
    const { pool, recorder } = scriptedPool({ plugins: [plugin] });
    (await pool.acquire()).release();
    isRefusing = true;
    await expect(pool.acquire()).rejects.toBe(refusal);
    await expect(pool.acquire({ timeoutMs: 50 })).rejects.toBe(refusal);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(recorder.of("acquire-failed").map(({ kind }) => kind)).toEqual(["acquire", "acquire"]);
  });

  it("has the last lease of a connection, once a new configuration says how many there may be", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    (await pool.acquire()).release();
    pool.reconfigure({ sharing: "exclusive", minConnections: 0, maxConnections: 1, maxUses: 2 });
    (await pool.acquire()).release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["max-uses"]);
  });
});

describe("a caller who is made to give up while the pool looks for room", () => {
  it("waits no longer", async () => {
    const controller = new AbortController();
    let isArmed = false;
    const plugin = admitting(() => {
      if (isArmed) controller.abort("enough");
    });
    const { pool, clock } = exclusivePool({ maxConnections: 1, plugins: [plugin] });
    const lease = await pool.acquire();
    isArmed = true;
    const waiting = outcomeOf(pool.acquire({ signal: controller.signal }));
    await clock.settle();
    expect(waiting).toMatchObject({ state: "rejected", error: "enough" });
    expect(pool.stats()).toMatchObject({ waiting: 0 });
    lease.release();
  });
});

describe("a server's limit", () => {
  it("that is lowered below what is in flight is not passed on to those who wait", async () => {
    const own = new FakeClock();
    const server = createServerState(own, new ScriptedConnector({ clock: own }), Infinity);
    const { pool, clock } = exclusivePool({ maxConnections: 2, environment: () => ({ server }) });
    const leases = await acquireMany(pool, 2);
    const waiting = [1, 2].map(() => outcomeOf(pool.acquire()));
    server.limit.max = 1;
    leases[0]?.release();
    await clock.settle();
    expect([pool.stats().inFlight, waiting.map(({ state }) => state)]).toEqual([1, ["pending", "pending"]]);
    leases[1]?.release();
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "pending"]);
    waiting[0]?.value?.release();
    await clock.settle();
    waiting[1]?.value?.release();
  });

  it("forgets a pool that could not be made", async () => {
    const clock = new FakeClock();
    const server = createServerState(clock, new ScriptedConnector({ clock }), Infinity);
    const made = Array.from({ length: 3 }, () => brokenPool(clock, server));
    await clock.settle();
    collectGarbage();
    expect(made.map((connector) => connector.deref())).toEqual([undefined, undefined, undefined]);
    expect(server.limit.free).toBeGreaterThan(0);
  });

  it("is forgotten by the limit of its server, too, once it was closed", async () => {
    const clock = new FakeClock();
    const server = createServerState(clock, new ScriptedConnector({ clock }), 5);
    const made = [await closedPool(clock, server), await closedPool(clock, server)];
    await clock.settle();
    await new Promise((resolve) => void setImmediate(resolve));
    collectGarbage();
    expect(made.map((connector) => connector.deref())).toEqual([undefined, undefined]);
    expect(server.limit.free).toBe(5);
  });
});

/** Makes a pool, uses and closes it, and returns its connector, which nobody else holds. */
async function closedPool(clock: FakeClock, server: ServerState): Promise<WeakRef<ScriptedConnector>> {
  const connector = new ScriptedConnector({ clock });
  const pool = new McpConnectionPool(connector, {}, [], { clock, server });
  (await pool.acquire()).release();
  await pool.close();
  return new WeakRef(connector);
}

/** Tries to make a pool, and returns its connector, which nobody else holds. */
function brokenPool(clock: FakeClock, server: ServerState): WeakRef<ScriptedConnector> {
  const connector = new ScriptedConnector({ clock });
  const plugin: PoolPlugin = {
    name: "broken",
    install: () => {
      throw new Error("broken");
    },
  };
  expect(() => new McpConnectionPool(connector, {}, [plugin], { clock, server })).toThrow("broken");
  return new WeakRef(connector);
}

describe("a connection that leaves its requests open", () => {
  it("ends all of them when it is closed, though a listener makes some callers go", async () => {
    const { pool, connector, clock } = scriptedPool({ maxConnections: 1, maxRequestsPerConnection: 4 });
    connector.onRequest.always(hang());
    const controllers = [1, 2, 3, 4].map(() => new AbortController());
    const calls = controllers.map(({ signal }) => outcomeOf(pool.request("a", {}, { signal, timeoutMs: 200_000 })));
    await clock.settle();
    pool.subscribe(() => controllers[1]?.abort("enough"), ["request-finished"]);
    const closing = outcomeOf(pool.close({ drainTimeoutMs: 0 }));
    await clock.advance(20_000);
    expect(closing.state).toBe("resolved");
    expect(calls.map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
  });
});
