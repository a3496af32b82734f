import { describe, expect, it } from "vitest";
import { CIRCUIT_BREAKER, type PoolPlugin } from "../src/index.ts";
import { fail, manual, ok } from "../src/testing/index.ts";
import { exclusive, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

describe("identities", () => {
  it("never share a connection, with one another or with calls that have none", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    for (const identity of ["one", "two", undefined, "one", "two", undefined]) {
      await manager.callTool("a", { name: "echo" }, { identity });
    }
    expect(connector.connects.map(({ identity }) => identity)).toEqual(["one", "two", undefined]);
    const of = connector.requests.map(({ connection }) => connector.connects[connection - 1]?.identity);
    expect(of).toEqual(["one", "two", undefined, "one", "two", undefined]);
    expect(manager.poolsOf("a").map((pool) => pool.identity)).toEqual([undefined, "one", "two"]);
    expect(new Set(manager.poolsOf("a").map((pool) => pool.name)).size).toBe(3);
  });

  it.each(["", 7, null, {}])("must be a string that is not empty, unlike %j", async (identity) => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    await expect(
      manager.callTool("a", { name: "echo" }, { identity: identity as unknown as string }),
    ).rejects.toMatchObject({ code: "VALIDATION_FAILED", issues: [{ path: "identity" }] });
    expect(connector.connects).toEqual([]);
  });

  it("are required where a server says so, by whichever way it is reached", async () => {
    const { manager, connector } = scriptedManager({
      pool: { minConnections: 2 },
      servers: { a: { identityRequired: true } },
    });
    const missing = { code: "VALIDATION_FAILED", serverName: "a", issues: [{ path: "identity" }] };
    await expect(manager.callTool("a", { name: "echo" })).rejects.toMatchObject(missing);
    await expect(manager.listTools("a")).rejects.toMatchObject(missing);
    await expect(manager.acquire("a")).rejects.toMatchObject(missing);
    await expect(manager.acquire("a", { sharing: "exclusive" })).rejects.toMatchObject(missing);
    await expect(manager.subscribeResource("a", { uri: "test://a" })).rejects.toMatchObject(missing);
    const pool = manager.pool("a");
    await expect(pool.acquire()).rejects.toMatchObject(missing);
    await expect(pool.use(() => 1)).rejects.toMatchObject(missing);
    await expect(pool.client.callTool({ name: "echo" })).rejects.toMatchObject(missing);
    await expect(pool.listTools()).rejects.toMatchObject(missing);
    await expect(pool.request("ping")).rejects.toMatchObject(missing);
    await expect(pool.subscribeResource({ uri: "test://a" })).rejects.toMatchObject(missing);
    expect(pool.tryAcquire()).toBeUndefined();
    await pool.warmUp();
    expect(connector.connects).toEqual([]);
    expect(manager.poolsOf("a"), "no pool is made for what is refused").toHaveLength(1);
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    expect(connector.connects).toMatchObject([{ identity: "me" }]);
  });

  it("have no minimum, whatever the server's is", async () => {
    const { manager, connector, clock } = scriptedManager({ pool: { minConnections: 3 }, servers: { a: {} } });
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    await clock.settle();
    expect(connector.connects.map(({ identity }) => identity)).toEqual(["me"]);
    expect(manager.poolsOf("a")[1]?.stats().connections.min).toBe(0);
  });

  it("are forgotten once they are unused and have no connection", async () => {
    const { manager, clock, recorder } = scriptedManager({
      pool: { maxIdleTimeMs: 1_000, cleanupIntervalMs: 1_000 },
      settings: { cleanupIntervalMs: 10_000 },
      servers: { a: {} },
    });
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    const pool = manager.poolsOf("a")[1];
    const held = await manager.acquire("a", { identity: "holder" });
    await clock.advance(9_999);
    expect(manager.poolsOf("a")).toHaveLength(3);
    await clock.advance(20_000);
    expect(manager.poolsOf("a").map(({ identity }) => identity)).toEqual([undefined, "holder"]);
    expect(pool?.isClosed).toBe(true);
    expect(recorder.of("pool-closed")).toMatchObject([{ serverName: "a", identity: "me" }]);
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    expect(manager.poolsOf("a")).toHaveLength(3);
    held.release();
  });

  it("are kept while a request waits for its next attempt, which holds no connection", async () => {
    const retry: PoolPlugin = {
      name: "retry",
      install: ({ clock }) => ({
        request: (next) => (request) =>
          next(request).catch(async () => {
            await new Promise<void>((resolve) => void clock.setTimer(resolve, 10_000));
            return next(request);
          }),
      }),
    };
    const { manager, connector, clock } = scriptedManager({
      settings: { cleanupIntervalMs: 500 },
      plugins: [retry],
      servers: { a: {} },
    });
    connector.onConnect.next(fail(new Error("refused")));
    const calling = outcomeOf(manager.callTool("a", { name: "echo" }, { identity: "me" }));
    await clock.advance(9_000);
    expect(manager.poolsOf("a")).toHaveLength(2);
    await clock.advance(2_000);
    expect(calling).toMatchObject({ state: "resolved" });
  });

  it("are kept while they have a subscription, though it cannot be restored at the moment", async () => {
    const { manager, connector, clock } = scriptedManager({ settings: { cleanupIntervalMs: 100 }, servers: { a: {} } });
    const params = { uri: "test://readme" };
    await manager.subscribeResource("a", params, { identity: "me" });
    connector.onConnect.always(fail(new Error("restarting")));
    connector.connection(1).die();
    await clock.advance(30_000);
    connector.onConnect.always(ok());
    await clock.advance(60_000);
    expect(connector.requests.map(({ method }) => method)).toEqual(["resources/subscribe", "resources/subscribe"]);
    await manager.unsubscribeResource("a", params, { identity: "me" });
    await clock.advance(1_000_000);
    expect(manager.poolsOf("a")).toHaveLength(1);
  });

  it("are kept for the time between two sweeps after they were asked for, with what their plugins know", async () => {
    const plugin: PoolPlugin = {
      name: CIRCUIT_BREAKER,
      install: () => ({ handle: { getState: () => "open" } }),
    };
    const { manager, clock } = scriptedManager({
      settings: { cleanupIntervalMs: 1_000 },
      plugins: [plugin],
      servers: { a: {} },
    });
    await clock.advance(999);
    const breaker = manager.circuitBreaker("a", "me");
    await clock.advance(999);
    expect(manager.circuitBreaker("a", "me")).toBe(breaker);
    await clock.advance(500);
    expect(manager.poolsOf("a")).toHaveLength(2);
    await clock.advance(1_000);
    expect(manager.poolsOf("a")).toHaveLength(1);
  });

  it("are kept while somebody waits", async () => {
    const { manager, connector, clock } = scriptedManager({
      settings: { cleanupIntervalMs: 100 },
      servers: { a: {} },
    });
    connector.onConnect.next(manual());
    const waiting = outcomeOf(manager.acquire("a", { identity: "me" }));
    await clock.advance(1_000);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
  });
});

describe("the sharing mode", () => {
  it("may be exclusive for a lease on a shared server, which gets connections of its own", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", { name: "echo" });
    const one = await manager.acquire("a", { sharing: "exclusive" });
    const two = await manager.acquire("a", { sharing: "exclusive", identity: "me" });
    await manager.callTool("a", { name: "echo" });
    expect([one.connectionId, two.connectionId]).toEqual([1, 1]);
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 1]);
    expect(manager.poolsOf("a").map((pool) => [pool.stats().sharing, pool.identity])).toEqual([
      ["shared", undefined],
      ["exclusive", undefined],
      ["exclusive", "me"],
    ]);
    const used = await manager.use("a", (_client, { connection }) => connection, { sharing: "exclusive" });
    expect(used).not.toBe(one.connection);
    one.release();
    two.release();
  });

  it("cannot be shared on an exclusive server", async () => {
    const { manager } = scriptedManager({ servers: { a: exclusive() } });
    await expect(manager.acquire("a", { sharing: "shared" })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      issues: [{ path: "sharing" }],
    });
    const lease = await manager.acquire("a", { sharing: "exclusive" });
    expect(manager.poolsOf("a")).toHaveLength(1);
    lease.release();
  });

  it("is one of the two there are", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    const sharing = "sometimes" as "shared";
    const refusal = { code: "VALIDATION_FAILED", serverName: "a", issues: [{ path: "sharing" }] };
    await expect(manager.acquire("a", { sharing })).rejects.toMatchObject(refusal);
    await expect(manager.acquire("a", { sharing, identity: "me" })).rejects.toMatchObject(refusal);
  });
});
