import { describe, expect, it } from "vitest";
import { McpConnectionPool, McpPoolClosedError, type PoolEnvironment } from "../src/index.ts";
import { createServerState } from "../src/pool-environment.ts";
import { after, FakeClock, manual, ok, ScriptedConnector } from "../src/testing/index.ts";
import { exclusive, scriptedManager } from "./scripted-manager.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("what pools share", () => {
  it("is the server's limit: one pool's release serves the sticky key that another pool's caller waits with", async () => {
    const clock = new FakeClock();
    const connector = new ScriptedConnector({ clock });
    const environment = (): PoolEnvironment => ({ clock, server });
    const server = createServerState(clock, connector, 1);
    const one = exclusivePool({ environment });
    const other = exclusivePool({ environment });
    (await one.pool.acquire({ stickyKey: "a" })).release();
    const held = await other.pool.acquire();
    const waiting = outcomeOf(one.pool.acquire({ stickyKey: "a" }));
    await clock.settle();
    expect(waiting.state).toBe("pending");
    held.release();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
    await Promise.all([one.pool.close(), other.pool.close()]);
  });

  it("is the timer of all deadlines: a server that is removed takes nobody else's time-outs with it", async () => {
    const { manager, clock } = scriptedManager({
      pool: { acquireTimeoutMs: 1_000 },
      servers: { gone: exclusive(), stays: exclusive({ maxConnections: 1, acquireTimeoutMs: 1_000 }) },
    });
    (await manager.acquire("gone")).release();
    const held = await manager.acquire("stays");
    const waiting = outcomeOf(manager.acquire("stays"));
    await manager.removeServer("gone");
    await clock.advance(1_000);
    expect(waiting.error).toMatchObject({ code: "POOL_EXHAUSTED" });
    held.release();
  });
});

describe("a caller who waited for one connection, and now waits for any", () => {
  it("waits on the time for openings, when one is under way", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 2,
      acquireTimeoutMs: 1_000,
      connectionTimeoutMs: 10_000,
    });
    const holder = await pool.acquire({ stickyKey: "a" });
    connector.onConnect.always(manual());
    const follower = outcomeOf(pool.acquire({ stickyKey: "a" }));
    const other = outcomeOf(pool.acquire());
    await clock.advance(500);
    holder.discard();
    await clock.advance(5_000);
    expect([follower.state, other.state]).toEqual(["pending", "pending"]);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(other.state).toBe("resolved");
    other.value?.release();
    await clock.settle();
    expect(follower.state).toBe("resolved");
    follower.value?.release();
    connector.onConnect.always(ok());
  });
});

describe("a list that is asked for through a lease", () => {
  it("ends within requestTimeoutMs for all its pages, by the pool's clock", async () => {
    const { pool, connector, clock } = scriptedPool({ requestTimeoutMs: 1_000 });
    let page = 0;
    connector.onRequest.always(() => after(600, ok({ tools: [], nextCursor: `page ${++page}` })));
    const lease = await pool.acquire();
    const list = outcomeOf(lease.client.listTools());
    await clock.advance(999);
    expect(list.state).toBe("pending");
    await clock.advance(1);
    expect(list.error).toMatchObject({ code: "TIMEOUT" });
    expect(connector.requests).toHaveLength(2);
    lease.release();
    await clock.advance(1_000);
  });
});

describe("a time to drain that makes no sense", () => {
  it.each([-1, Number.NaN, "1 s" as unknown as number])(
    "such as %s is refused, and nothing is closed",
    async (drainTimeoutMs) => {
      const { manager } = scriptedManager({ servers: { a: {}, b: {} } });
      await expect(manager.removeServer("a", { drainTimeoutMs })).rejects.toMatchObject({
        code: "VALIDATION_FAILED",
        serverName: "a",
        issues: [{ path: "drainTimeoutMs" }],
      });
      await expect(manager.close({ drainTimeoutMs })).rejects.toMatchObject({
        code: "VALIDATION_FAILED",
        serverName: "a, b",
      });
      expect(manager.servers()).toEqual(["a", "b"]);
      await manager.callTool("a", { name: "x" });
    },
  );
});

describe("a pool that is closed", () => {
  it("takes no new options", async () => {
    const { pool } = scriptedPool();
    await pool.close();
    expect(() => pool.reconfigure({ maxConnections: 3 })).toThrow(McpPoolClosedError);
  });
});

describe("a connection in doubt while something is on it", () => {
  it("is not counted on: another one is opened for those who wait, before the probe has ended", async () => {
    const { pool, connector, clock } = scriptedPool({ maxConnections: 2, connector: { concurrency: 3 } });
    connector.onRequest.next(manual(), manual());
    connector.onProbe.next(manual());
    const requests = [outcomeOf(pool.request("slow", {}, { timeoutMs: 100 })), outcomeOf(pool.request("slow"))];
    await clock.advance(100);
    const waiting = outcomeOf(pool.request("next"));
    await clock.settle();
    expect([waiting.state, connector.connects.length]).toEqual(["resolved", 2]);
    expect(connector.pendingOf("probe")).toHaveLength(1);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(requests.map(({ state }) => state)).toEqual(["rejected", "resolved"]);
  });
});

describe("without anything but a connector", () => {
  it("a pool works, with the defaults", async () => {
    const pool = new McpConnectionPool(new ScriptedConnector());
    expect(await pool.request("ping")).toEqual({});
    expect(pool.name).toBe("default");
    await pool.close();
  });

  it("a manager closes at the end of its block", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    {
      await using same = manager;
      await same.callTool("a", { name: "x" });
    }
    expect(connector.occupied).toBe(0);
  });
});
