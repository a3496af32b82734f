import { describe, expect, it } from "vitest";
import { after, manual } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, expectBalance, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("opening connections", () => {
  it("opens nothing until the pool is used", async () => {
    const { connector, clock, pool } = scriptedPool({ minConnections: 2 });
    await clock.advance(600_000);
    pool.reconfigure({ minConnections: 2 });
    await clock.settle();
    expect(connector.connects).toHaveLength(0);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(connector.connects).toHaveLength(0);
  });

  it("opens the minimum at the first use", async () => {
    const { connector, pool, clock } = scriptedPool({ minConnections: 3 });
    await pool.request("tools/list");
    await clock.settle();
    expect(connector.live).toHaveLength(3);
    expect(pool.stats().connections).toMatchObject({ min: 3, ready: 3, idle: 3, total: 3 });
  });

  it("opens the minimum, by default two, when it is warmed up", async () => {
    const { connector, pool } = scriptedPool({ minConnections: undefined });
    await pool.warmUp();
    expect(connector.live).toHaveLength(2);
    await pool.warmUp();
    expect(connector.connects).toHaveLength(2);
  });

  it("opens another one for each that is lost from the minimum", async () => {
    const { connector, pool, clock, recorder } = scriptedPool({ minConnections: 2 });
    await pool.warmUp();
    recorder.clear();
    connector.connection(1).die();
    await clock.settle();
    expect(connector.live.map(({ id }) => id)).toEqual([2, 3]);
    expect(recorder.types).toEqual(["connection-opened", "connection-closed"]);
  });

  it("tells the connector what it needs to know", async () => {
    const { connector, pool } = scriptedPool({
      connectionTimeoutMs: 4_321,
      environment: () => ({ identity: "alice", poolName: "files (alice)" }),
    });
    await pool.request("ping");
    expect(connector.connects[0]).toMatchObject({ serverName: "files", identity: "alice", timeoutMs: 4_321 });
    expect([pool.name, pool.serverName, pool.identity]).toEqual(["files (alice)", "files", "alice"]);
  });

  it("opens 7 connections for 100 callers at once with 16 on each", async () => {
    const { connector, pool, clock } = scriptedPool({ connector: { concurrency: 16 } });
    connector.onRequest.always(manual());
    const requests = Array.from({ length: 100 }, () => pool.request("tools/call", { name: "a" }));
    await clock.settle();
    expect(connector.connects).toHaveLength(7);
    expect(connector.requests).toHaveLength(100);
    expect(Math.max(...connector.connections.map(({ peakInFlight }) => peakInFlight))).toBe(16);
    for (const call of connector.pending) call.resolve();
    await Promise.all(requests);
  });

  it.each([
    [1, 4, 1],
    [4, 4, 1],
    [5, 4, 2],
    [8, 4, 2],
    [9, 4, 3],
    [3, 1, 3],
    [50, 1, 10],
  ])("opens for %i callers with %i on each just %i", async (callers, room, expected) => {
    const { connector, pool, clock } = scriptedPool({ maxRequestsPerConnection: room, maxConnections: 10 });
    connector.onRequest.always(manual());
    const requests = Array.from({ length: callers }, () => outcomeOf(pool.request("ping")));
    await clock.settle();
    expect(connector.connects).toHaveLength(expected);
    while (connector.pending.length > 0) {
      for (const call of connector.pending) call.resolve();
      await clock.settle();
    }
    expect(requests.every(({ state }) => state === "resolved")).toBe(true);
  });

  it("takes what the caller sets over what the connector suggests, and what a connection suggests over nothing", async () => {
    const set = scriptedPool({ maxRequestsPerConnection: 3, connector: { concurrency: 8 } });
    await set.pool.warmUp();
    await set.pool.request("ping");
    expect(set.pool.stats().room).toBe(30);
    const suggested = scriptedPool({ connector: { concurrency: 8, isConcurrencyKnown: false } });
    await suggested.pool.request("ping");
    expect(suggested.pool.stats().room).toBe(80);
  });

  it("opens as many as a burst needs together, when the connector says what each can carry", async () => {
    const { connector, pool, clock } = scriptedPool({ connector: { concurrency: 4 } });
    connector.onConnect.always(manual());
    const requests = Array.from({ length: 9 }, () => outcomeOf(pool.request("ping")));
    await clock.settle();
    expect(connector.pending).toHaveLength(3);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(requests.every(({ state }) => state === "resolved")).toBe(true);
  });

  it("opens one to learn what it can carry, when nobody says so before", async () => {
    const { connector, pool, clock } = scriptedPool({ connector: { concurrency: 4, isConcurrencyKnown: false } });
    connector.onConnect.always(manual());
    const requests = Array.from({ length: 9 }, () => outcomeOf(pool.request("ping")));
    await clock.settle();
    expect(connector.connects).toHaveLength(1);
    connector.onRequest.always(manual());
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(connector.connects).toHaveLength(3);
    connector.onRequest.always({ kind: "ok", value: undefined });
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(requests.every(({ state }) => state === "resolved")).toBe(true);
  });

  it("lets callers wait on the pool, not on a connect of their own", async () => {
    const { connector, pool, clock } = exclusivePool();
    connector.onConnect.always(manual());
    const first = outcomeOf(pool.acquire());
    const second = outcomeOf(pool.acquire());
    await clock.settle();
    connector.pending[1]?.resolve();
    await clock.settle();
    expect([first.state, second.state]).toEqual(["resolved", "pending"]);
    first.value?.release();
    await clock.settle();
    expect([second.state, second.value?.connectionId]).toEqual(["resolved", first.value?.connectionId]);
    second.value?.release();
  });

  it("gives up connects that no caller needs any more", async () => {
    const { connector, pool, clock } = exclusivePool();
    connector.onConnect.always(after(100));
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const outcomes = controllers.map(({ signal }) => outcomeOf(pool.acquire({ signal })));
    await clock.advance(10);
    for (const controller of controllers.slice(1)) controller.abort();
    await clock.settle();
    expect(connector.connects.map(({ signal }) => signal.aborted)).toEqual([false, true, true, true]);
    expect(connector.occupied).toBe(1);
    await clock.advance(100);
    expect(outcomes.map(({ state }) => state)).toEqual(["resolved", "rejected", "rejected", "rejected"]);
    outcomes[0]?.value?.release();
  });

  it("keeps connects for the minimum when callers leave", async () => {
    const { connector, pool, clock } = exclusivePool({ minConnections: 1 });
    connector.onConnect.always(after(100));
    const controller = new AbortController();
    const outcome = outcomeOf(pool.acquire({ signal: controller.signal }));
    controller.abort();
    await clock.advance(100);
    expect(outcome.state).toBe("rejected");
    expect(connector.live).toHaveLength(1);
  });

  it("opens a spare connection beside ones that are loaded above three quarters", async () => {
    const { connector, pool, clock } = scriptedPool({ maxRequestsPerConnection: 8 });
    const leases = await acquireMany(pool, 6);
    await clock.settle();
    expect(connector.connects).toHaveLength(1);
    leases.push(await pool.acquire());
    await clock.settle();
    expect(connector.connects).toHaveLength(2);
    expect(pool.stats().counters.hits).toBe(6);
    for (const lease of leases) lease.release();
  });

  it("opens no spare connection while the server fails", async () => {
    const { connector, pool, clock } = scriptedPool({ maxRequestsPerConnection: 4 });
    const leases = await acquireMany(pool, 3);
    connector.onConnect.always({ kind: "fail", error: new Error("refused") });
    for (let round = 0; round < 20; round++) {
      pool.tryAcquire()?.release();
      await clock.settle();
    }
    expect(connector.connects.length).toBeLessThanOrEqual(3);
    for (const lease of leases) lease.release();
  });

  it("opens no spare connection above the maximum, nor for exclusive ones", async () => {
    const full = scriptedPool({ maxRequestsPerConnection: 4, maxConnections: 1 });
    const leases = await acquireMany(full.pool, 4);
    const exclusive = exclusivePool();
    leases.push(...(await acquireMany(exclusive.pool, 1)));
    await exclusive.clock.settle();
    expect([full.connector.connects.length, exclusive.connector.connects.length]).toEqual([1, 1]);
    for (const lease of leases) lease.release();
  });

  it("packs work on the connection that was used most recently", async () => {
    const { pool } = exclusivePool();
    const [first, second, third] = await acquireMany(pool, 3);
    second?.release();
    third?.release();
    first?.release();
    const ids = [];
    for (let index = 0; index < 3; index++) {
      const lease = await pool.acquire();
      ids.push(lease.connectionId);
      lease.release();
    }
    expect(ids).toEqual([first?.connectionId, first?.connectionId, first?.connectionId]);
  });

  it("fills one shared connection before it uses the next", async () => {
    const { pool, clock } = scriptedPool({ maxRequestsPerConnection: 2 });
    const outcomes = Array.from({ length: 4 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    const leases = outcomes.map(({ value }) => value);
    const [first, , third] = leases;
    third?.release();
    first?.release();
    const next = await pool.acquire();
    expect(next.connectionId).toBe(first?.connectionId);
    expectBalance({ pool, connector: scriptedPool().connector });
    for (const lease of [...leases, next]) lease?.release();
  });
});
