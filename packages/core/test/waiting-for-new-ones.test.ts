import { describe, expect, it } from "vitest";
import { CircuitBreakerOpenError, type PoolPlugin, type PoolRequest } from "../src/index.ts";
import { createServerState } from "../src/pool-environment.ts";
import { manual } from "../src/testing/index.ts";
import { outcomeOf, type ScriptedPoolSetup, scriptedPool } from "./scripted-pool.ts";

const REFUSAL = new CircuitBreakerOpenError("open");
const ROOM = { maxConnections: 2, maxRequestsPerConnection: 1, validateOnAcquire: false };

/** A pool with one connection on loan, and one being opened for a request that wants just that. */
async function awaitingNew(setup: ScriptedPoolSetup = {}) {
  const said = { isOpen: false };
  const plugin: PoolPlugin = {
    name: "wants-new",
    install: () => ({
      admit: (asker) => (said.isOpen && typeof asker === "object" ? REFUSAL : undefined),
      request: (next) => (request: PoolRequest) =>
        next(Object.assign(request, { isFreshWanted: request.method === "fresh" })),
    }),
  };
  const made = scriptedPool({ ...ROOM, ...setup, plugins: [plugin] });
  const holder = await made.pool.acquire();
  made.connector.onConnect.always(manual());
  const fresh = outcomeOf(made.pool.request("fresh"));
  await made.clock.settle();
  return { ...made, said, holder, fresh };
}

describe("a request that waits for a new connection", () => {
  it("stays in its own line while one is coming, however often room comes free", async () => {
    const { pool, connector, clock, holder, fresh } = await awaitingNew();
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    holder.release();
    await clock.settle();
    expect([waiting.state, fresh.state]).toEqual(["resolved", "pending"]);
    waiting.value?.release();
    await pool.request("ping");
    expect(fresh.state).toBe("pending");
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(fresh.state).toBe("resolved");
    expect(connector.requests.map(({ method, connection }) => [method, connection])).toEqual([
      ["ping", 1],
      ["fresh", 2],
    ]);
  });

  it("gets the one that has come before others who wait for any", async () => {
    const { pool, connector, clock, holder, fresh } = await awaitingNew();
    connector.onRequest.always(manual());
    const waiting = outcomeOf(pool.request("ping"));
    await clock.settle();
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(connector.requests).toMatchObject([{ method: "fresh", connection: 2 }]);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(fresh.state).toBe("resolved");
    holder.release();
    await clock.settle();
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
  });

  it("takes any once none can come", async () => {
    const { pool, connector, clock, holder, fresh } = await awaitingNew();
    pool.reconfigure({ ...ROOM, minConnections: 0, maxConnections: 1 });
    await clock.settle();
    expect(fresh.state).toBe("pending");
    holder.release();
    for (const call of connector.pending) call.reject(new Error("given up"));
    await clock.settle();
    expect(fresh.state).toBe("resolved");
    expect(connector.requests).toMatchObject([{ method: "fresh", connection: 1 }]);
  });

  it("is refused when a plugin refuses it by the time the connection is there", async () => {
    const { pool, connector, clock, said, holder, fresh } = await awaitingNew();
    said.isOpen = true;
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect([fresh.error, connector.requests.length]).toEqual([REFUSAL, 0]);
    expect(pool.stats()).toMatchObject({ inFlight: 1, waiting: 0, connections: { idle: 1 } });
    holder.release();
  });

  it("waits for the server's limit like everybody, once the connection is there", async () => {
    const { pool, connector, clock, holder, fresh } = await awaitingNew({
      environment: (clock, connector) => ({ server: createServerState(clock, connector, 1) }),
    });
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect([fresh.state, connector.live.length, pool.stats().inFlight]).toEqual(["pending", 2, 1]);
    holder.release();
    await clock.settle();
    expect([fresh.state, pool.stats().inFlight]).toEqual(["resolved", 0]);
  });

  it("is told when the connect fails, and holds up nobody else", async () => {
    const { pool, connector, clock, holder, fresh } = await awaitingNew();
    for (const call of connector.pending) call.reject(new Error("no more"));
    await clock.settle();
    expect(fresh.error).toMatchObject({ code: "CONNECTION_FAILED" });
    holder.release();
    await pool.request("ping");
    expect(pool.stats()).toMatchObject({ inFlight: 0, waiting: 0 });
  });
});
