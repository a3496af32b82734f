import { describe, expect, it } from "vitest";
import { RequestFailure } from "../src/index.ts";
import { fail, judged, manual, ok } from "../src/testing/index.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

const uri = "test://readme";

/** What was subscribed and unsubscribed, and on which connection. */
function sent({
  requests,
}: {
  requests: readonly { method: string; connection: number; params: unknown }[];
}): string[] {
  return requests.map(({ method, connection }) => `${method.replace("resources/", "")} ${connection}`);
}

describe("a resource subscription", () => {
  it("is made once, and ended with the last of its callers", async () => {
    const { pool, connector } = scriptedPool();
    await Promise.all([pool.subscribeResource({ uri }), pool.subscribeResource({ uri })]);
    expect(connector.requests).toMatchObject([{ method: "resources/subscribe", params: { uri } }]);
    await pool.unsubscribeResource({ uri });
    expect(sent(connector)).toEqual(["subscribe 1"]);
    await pool.unsubscribeResource({ uri });
    expect(sent(connector)).toEqual(["subscribe 1", "unsubscribe 1"]);
    await pool.unsubscribeResource({ uri });
    expect(connector.requests).toHaveLength(2);
  });

  it("takes no room, and keeps its connection from being closed as idle", async () => {
    const { pool, connector, clock } = scriptedPool({ maxIdleTimeMs: 1_000, cleanupIntervalMs: 1_000 });
    await pool.subscribeResource({ uri });
    expect(pool.stats()).toMatchObject({ inFlight: 0, connections: { idle: 1 } });
    await clock.advance(60_000);
    expect([connector.live.length, connector.connects.length]).toEqual([1, 1]);
    await pool.unsubscribeResource({ uri });
    await clock.advance(2_000);
    expect(connector.live).toEqual([]);
  });

  it("is made again on a new connection when its own is lost", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.subscribeResource({ uri });
    connector.connection(1).die();
    await clock.settle();
    expect(sent(connector)).toEqual(["subscribe 1", "subscribe 2"]);
    await pool.unsubscribeResource({ uri });
    expect(sent(connector).at(-1)).toBe("unsubscribe 2");
  });

  it("is made again when its connection is retired, and before that is closed", async () => {
    const { pool, connector, clock } = scriptedPool({ maxLifetimeMs: 100_000 });
    await pool.subscribeResource({ uri });
    await clock.advance(100_000);
    expect(sent(connector)).toEqual(["subscribe 1", "subscribe 2"]);
  });

  it("is made again as soon as the server is back", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.subscribeResource({ uri });
    connector.onConnect.next(fail(new Error("refused")));
    connector.connection(1).die();
    await clock.settle();
    expect(sent(connector)).toEqual(["subscribe 1"]);
    const pinging = outcomeOf(pool.request("ping"));
    await clock.advance(100);
    expect(pinging.state).toBe("resolved");
    await clock.settle();
    expect(sent(connector).filter((line) => line.startsWith("subscribe"))).toHaveLength(2);
  });

  it("fails its caller, and leaves nothing behind, when the server refuses it", async () => {
    const { pool, connector, clock } = scriptedPool();
    const error = new Error("no such resource");
    connector.onRequest.next(judged("answered", "no such resource", { cause: error }));
    await expect(pool.subscribeResource({ uri })).rejects.toBe(error);
    connector.connection(1).die();
    await clock.settle();
    expect(connector.requests).toHaveLength(1);
    expect(pool.stats().inFlight).toBe(0);
  });

  it("is not made again by a pool that is closed", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.subscribeResource({ uri });
    await pool.close();
    await clock.advance(60_000);
    expect(connector.connects).toHaveLength(1);
  });

  it("that is ended while it is being made is undone", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(manual());
    const subscribing = outcomeOf(pool.subscribeResource({ uri }));
    await clock.settle();
    const ending = outcomeOf(pool.unsubscribeResource({ uri }));
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([subscribing.state, ending.state]).toEqual(["resolved", "resolved"]);
    expect(sent(connector)).toEqual(["subscribe 1", "unsubscribe 1"]);
    connector.onRequest.always(ok());
  });

  it("is in force at the end when its callers end it and make it again while it is being made", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(manual());
    const first = outcomeOf(pool.subscribeResource({ uri }));
    await clock.settle();
    const others = [outcomeOf(pool.unsubscribeResource({ uri })), outcomeOf(pool.subscribeResource({ uri }))];
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([first, ...others].map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved"]);
    expect(sent(connector)).toEqual(["subscribe 1"]);
    await pool.unsubscribeResource({ uri });
    expect(sent(connector)).toEqual(["subscribe 1", "unsubscribe 1"]);
  });

  it("is in force for who asked again, though the first attempt was ended and then refused", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(manual());
    const calls = [pool.subscribeResource({ uri }), pool.unsubscribeResource({ uri }), pool.subscribeResource({ uri })];
    const outcomes = calls.map((call) => outcomeOf(call));
    await clock.settle();
    connector.pending[0]?.reject(new RequestFailure("overloaded", "busy"));
    await clock.settle();
    expect(outcomes.map(({ state }) => state)).toEqual(["rejected", "resolved", "resolved"]);
    expect(sent(connector)).toEqual(["subscribe 1", "subscribe 1"]);
    connector.connection(1).die();
    await clock.settle();
    expect(sent(connector).at(-1)).toBe("subscribe 2");
  });

  it("is made again when its connection dies in whichever moment after the answer", async () => {
    for (let ticks = 0; ticks < 25; ticks++) {
      const { pool, connector, clock } = scriptedPool();
      connector.onRequest.next(manual());
      const subscribing = outcomeOf(pool.subscribeResource({ uri }));
      await clock.settle();
      connector.pending[0]?.resolve();
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      connector.connection(1).die(new Error("crash"));
      await clock.advance(1_000);
      // Before the answer has arrived, the caller hears of the loss instead.
      if (subscribing.state === "resolved")
        expect(sent(connector), `${ticks} ticks`).toEqual(["subscribe 1", "subscribe 2"]);
      else expect(sent(connector), `${ticks} ticks`).toEqual(["subscribe 1"]);
    }
  });

  it("is tried again, later and later, while it cannot be restored", async () => {
    const { pool, connector, clock } = scriptedPool();
    clock.setRandom(1);
    await pool.subscribeResource({ uri });
    const held = await pool.acquire();
    connector.onRequest.always(judged("overloaded", "busy"));
    connector.connection(1).die();
    const attempts: number[] = [];
    for (let second = 0; second <= 200; second++) {
      await clock.settle();
      if (connector.requests.length > 1 + attempts.length) attempts.push(second);
      await clock.advance(1_000);
    }
    expect(attempts).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(
      clock.pending.filter(({ isRef }) => isRef),
      "no timer keeps the process alive",
    ).toEqual([]);
    connector.onRequest.always(ok());
    await clock.advance(60_000);
    expect(connector.requests).toHaveLength(11);
    await pool.unsubscribeResource({ uri });
    expect(sent(connector).at(-1)).toBe("unsubscribe 2");
    held.release();
  });

  it("comes back by itself after a restart of the server that one connect ran into", async () => {
    const { pool, connector, clock } = scriptedPool();
    await pool.subscribeResource({ uri });
    connector.onConnect.next(fail(new Error("restarting")));
    connector.connection(1).die(new Error("crash"));
    await clock.advance(5_000);
    expect(sent(connector)).toEqual(["subscribe 1", "subscribe 3"]);
  });

  it("is not tried again once nobody wants it, or the pool is closed", async () => {
    const { pool, connector, clock } = scriptedPool();
    for (const each of [uri, `${uri}/2`]) await pool.subscribeResource({ uri: each });
    connector.onConnect.always(fail(new Error("down")));
    connector.connection(1).die();
    await clock.advance(2_000);
    await pool.unsubscribeResource({ uri });
    await pool.close();
    expect(clock.pending).toEqual([]);
    const connects = connector.connects.length;
    await clock.advance(600_000);
    expect(connector.connects).toHaveLength(connects);
  });

  it.each([undefined, "", 7])("needs an address; %j is none, and is not sent", async (bad) => {
    const { pool, connector } = scriptedPool();
    const params = { uri: bad as unknown as string };
    const refusal = { code: "VALIDATION_FAILED", serverName: "files", issues: [{ path: "uri" }] };
    await expect(pool.subscribeResource(params)).rejects.toMatchObject(refusal);
    await expect(pool.unsubscribeResource(params)).rejects.toMatchObject(refusal);
    expect(connector.connects).toEqual([]);
  });
});
