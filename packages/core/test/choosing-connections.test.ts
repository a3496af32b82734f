import { describe, expect, it } from "vitest";
import type { PoolPlugin, PoolRequest } from "../src/index.ts";
import { manual, ok } from "../src/testing/index.ts";
import { acquireMany, outcomeOf, type ScriptedPoolSetup, scriptedPool } from "./scripted-pool.ts";

/** What a plugin asks of the requests to come, as retries do. */
type Wish = Pick<PoolRequest, "avoid" | "isFreshWanted">;

/** A pool with connections that are open and idle, and a plugin whose wish the test sets. */
async function choosing(open: number, setup: ScriptedPoolSetup = {}) {
  const wish: Partial<Wish> = {};
  const plugin: PoolPlugin = {
    name: "chooses",
    install: () => ({ request: (next) => (request) => next(Object.assign(request, wish)) }),
  };
  const made = scriptedPool({ maxConnections: 3, maxRequestsPerConnection: 1, ...setup, plugins: [plugin] });
  for (const lease of await acquireMany(made.pool, open)) lease.release();
  const used = async () => {
    await made.pool.request("ping");
    return made.connector.requests.at(-1)?.connection;
  };
  return { ...made, wish, used };
}

describe("a request that avoids a connection", () => {
  it("takes another open one, whichever was used last", async () => {
    const { wish, used, connector } = await choosing(2);
    for (const avoid of [1, 2, 1]) {
      wish.avoid = avoid;
      expect(await used()).toBe(3 - avoid);
    }
    expect(connector.connects).toHaveLength(2);
  });

  it("has a new one opened when there is no other", async () => {
    const { wish, used, connector } = await choosing(1);
    expect(await used()).toBe(1);
    wish.avoid = 1;
    expect(await used()).toBe(2);
    expect(connector.connects).toHaveLength(2);
  });

  it("takes it all the same while the others are at work: none is opened beside them just for that", async () => {
    const { wish, used, pool, connector } = await choosing(2);
    const busy = await pool.acquire();
    wish.avoid = 3 - busy.connectionId;
    expect(await used()).toBe(wish.avoid);
    expect(connector.connects).toHaveLength(2);
    busy.release();
  });

  it("takes it all the same where no other can be opened", async () => {
    const { wish, used, connector } = await choosing(1, { maxConnections: 1 });
    wish.avoid = 1;
    expect(await used()).toBe(1);
    expect(connector.connects).toHaveLength(1);
  });
});

describe("a request that wants a new connection", () => {
  it("gets one, though open ones have room", async () => {
    const { wish, used, connector } = await choosing(2);
    wish.isFreshWanted = true;
    expect(await used()).toBe(3);
    expect(connector.connects).toHaveLength(3);
  });

  it("takes an open one where no other can be opened", async () => {
    const { wish, used, connector } = await choosing(2, { maxConnections: 2 });
    wish.isFreshWanted = true;
    expect([1, 2]).toContain(await used());
    expect(connector.connects).toHaveLength(2);
  });

  it("waits for it in a line of its own, and holds up nobody whom an open one can serve", async () => {
    const { wish, pool, connector, clock } = await choosing(1);
    connector.onConnect.always(manual());
    wish.isFreshWanted = true;
    const fresh = outcomeOf(pool.request("fresh"));
    await clock.settle();
    wish.isFreshWanted = false;
    await pool.request("ping");
    expect([fresh.state, pool.stats().waiting]).toEqual(["pending", 1]);
    connector.onConnect.always(ok());
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(fresh.state).toBe("resolved");
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it("gets one while the other is at work", async () => {
    const { wish, pool, connector, clock } = await choosing(0, { maxRequestsPerConnection: 4 });
    connector.onRequest.always(manual());
    const first = outcomeOf(pool.request("first"));
    await clock.settle();
    wish.isFreshWanted = true;
    const second = outcomeOf(pool.request("second"));
    await clock.settle();
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 2]);
    for (const call of [...connector.pending]) call.resolve();
    await clock.settle();
    expect([first.state, second.state]).toEqual(["resolved", "resolved"]);
    expect(pool.stats()).toMatchObject({ inFlight: 0, waiting: 0 });
  });
});
