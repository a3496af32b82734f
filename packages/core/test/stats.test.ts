import { describe, expect, it } from "vitest";
import { createServerState } from "../src/pool-environment.ts";
import { fail, judged, manual, ok } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, expectBalance, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("the numbers of a pool", () => {
  it("are ready for JSON, and a snapshot", async () => {
    const { pool } = scriptedPool();
    const before = pool.stats();
    await pool.request("ping");
    expect(before.counters.requests).toBe(0);
    expect(JSON.parse(JSON.stringify(pool.stats()))).toMatchObject({
      poolName: "files",
      serverName: "files",
      sharing: "shared",
      isClosed: false,
      connections: { total: 1, ready: 1, idle: 1, active: 0, min: 0, max: 10 },
      inFlight: 0,
      room: 160,
      peakActive: 1,
      waiting: 0,
      leases: 0,
      counters: { created: 1, borrowed: 1, returned: 1, hits: 0, misses: 1, queued: 1, granted: 1, requests: 1 },
    });
  });

  it("say how often an open connection had room at once", async () => {
    const { pool } = scriptedPool();
    await pool.request("ping");
    await pool.request("ping");
    (await pool.acquire()).release();
    pool.tryAcquire()?.release();
    expect(pool.stats().counters).toMatchObject({ hits: 3, misses: 1, borrowed: 4, returned: 4 });
  });

  it("add up in every state that a connection can be in", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 6 });
    const leases = await acquireMany(pool, 5);
    connector.onClose.next(manual());
    leases[0]?.discard();
    const [connection] = [leases[1]];
    connector.onRequest.next(judged("not-sent"));
    await connection?.request("ping").catch(() => {});
    leases[2]?.release();
    connector.onConnect.next(manual());
    const opening = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.settle();
    expect(pool.stats().connections).toMatchObject({
      closing: 1,
      draining: 1,
      busy: 3,
      connecting: 1,
      ready: 0,
      total: 6,
    });
    expectBalance({ pool, connector });
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    for (const lease of [...leases, ...opening.map(({ value }) => value)]) if (!lease?.isReleased) lease?.release();
    await clock.settle();
    expectBalance({ pool, connector });
    expect(pool.stats()).toMatchObject({ inFlight: 0, leases: 0, waiting: 0, peakActive: 5 });
  });

  it("count callers by how they left the queue", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 100, maxWaiting: 3 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const outcomes = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire({ signal: controller.signal }))];
    controller.abort();
    await clock.advance(50);
    outcomes.push(outcomeOf(pool.acquire()));
    await clock.advance(50);
    connector.onConnect.next(fail(new Error("refused")));
    lease.discard();
    await clock.settle();
    expect(outcomes.map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected"]);
    expect(pool.stats().counters).toMatchObject({ queued: 4, granted: 1, timedOut: 1, aborted: 1, rejected: 1 });
  });

  it("count connections that failed apart from those that had their day", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.request("ping");
    connector.connection(1).die();
    await clock.settle();
    const lease = await pool.acquire();
    lease.discard();
    await clock.settle();
    expect(pool.stats().counters).toMatchObject({ created: 2, destroyed: 2, lost: 1 });
  });
});

describe("the in-flight limit of a server", () => {
  it("bounds leases and requests, however much room there is, and serves those who wait in order", async () => {
    const { pool, connector, clock } = scriptedPool({
      environment: (own, connector) => ({ server: createServerState(own, connector, 2) }),
    });
    connector.onRequest.always(manual());
    const outcomes = Array.from({ length: 5 }, () => outcomeOf(pool.request("ping")));
    await clock.settle();
    expect([connector.requests.length, pool.stats().waiting]).toEqual([2, 3]);
    expect(pool.tryAcquire()).toBeUndefined();
    while (connector.pending.length > 0) {
      expect(connector.pending.length).toBeLessThanOrEqual(2);
      connector.pending[0]?.resolve();
      await clock.settle();
    }
    expect(outcomes.every(({ state }) => state === "resolved")).toBe(true);
    connector.onRequest.always(ok());
  });

  it("opens no connections that could not be used", async () => {
    const { pool, connector, clock } = exclusivePool({
      environment: (own, connector) => ({ server: createServerState(own, connector, 2) }),
    });
    const outcomes = Array.from({ length: 8 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    expect(connector.connects).toHaveLength(2);
    for (let turn = 0; turn < 8; turn++) {
      outcomes[turn]?.value?.release();
      await clock.settle();
    }
    expect(outcomes.every(({ state }) => state === "resolved")).toBe(true);
    expect(connector.connects).toHaveLength(2);
  });
});
