import { describe, expect, it } from "vitest";
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
    await clock.advance(60_000);
    expect(sent(connector)).toEqual(["subscribe 1"]);
    await pool.request("ping");
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
});
