import { describe, expect, it } from "vitest";
import { type Admission, CircuitBreakerOpenError, type PoolPlugin } from "../src/index.ts";
import { manual } from "../src/testing/index.ts";
import { acquireMany, exclusive, openServers, scriptedManager } from "./scripted-manager.ts";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

const REFUSAL = new CircuitBreakerOpenError("open");

/** A plugin that does what the test says when it is asked whether somebody may have a connection. */
function asking(onAsked: (asker: Admission) => CircuitBreakerOpenError | undefined): PoolPlugin {
  return { name: "asking", install: () => ({ admit: onAsked }) };
}

describe("a connection that is given back while somebody waits", () => {
  it("is counted like any other that somebody had to wait for", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1 });
    const holder = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    holder.release();
    await clock.settle();
    expect(pool.stats().counters).toMatchObject({ hits: 0, misses: 2, borrowed: 2, returned: 1, granted: 2 });
    waiting.value?.release();
  });

  it("is not handed to others when it keeps the state of a sticky key", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 1 });
    const holder = await pool.acquire({ stickyKey: "a" });
    const waiting = outcomeOf(pool.acquire());
    holder.release();
    await clock.settle();
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 2]);
    expect(connector.connection(1).closes).toEqual(["evicted"]);
    expect(recorder.of("sticky-key-evicted")).toMatchObject([{ stickyKey: "a", connectionId: 1 }]);
    waiting.value?.release();
  });

  it("is kept for the sticky key of the caller who gets it", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 2 });
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    const sticky = outcomeOf(pool.acquire({ stickyKey: "a" }));
    first.release();
    await clock.settle();
    expect(sticky.value?.connectionId).toBe(1);
    sticky.value?.release();
    second.release();
    const others = [await pool.acquire(), outcomeOf(pool.acquire({ stickyKey: "a" }))] as const;
    await clock.settle();
    expect([others[0].connectionId, others[1].value?.connectionId]).toEqual([2, 1]);
    others[0].release();
    others[1].value?.release();
  });

  it("is probed first when it has given no sign of life for long", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    const holder = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    connector.onProbe.next(manual());
    await clock.advance(5_000);
    holder.release();
    await clock.settle();
    expect([waiting.state, connector.connection(1).probes]).toEqual(["pending", 1]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 1]);
    waiting.value?.release();
  });

  it("is not probed when it has just answered", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    const holder = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(5_000);
    await holder.request("ping");
    holder.release();
    await clock.settle();
    expect([waiting.state, connector.connection(1).probes]).toEqual(["resolved", 0]);
    waiting.value?.release();
  });

  it("is not lent to a caller whom a plugin has made leave, and stays in the pool", async () => {
    const controller = new AbortController();
    let isArmed = false;
    const plugin = asking(() => {
      if (isArmed) controller.abort(new Error("enough"));
      return undefined;
    });
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, plugins: [plugin] });
    const holder = await pool.acquire();
    const [leaving, behind] = [outcomeOf(pool.acquire({ signal: controller.signal })), outcomeOf(pool.acquire())];
    // A connection that is opened finds its caller in another way than one that is handed over.
    connector.onConnect.next(manual());
    holder.discard();
    await clock.settle();
    isArmed = true;
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([leaving.state, behind.state]).toEqual(["rejected", "resolved"]);
    expect(pool.stats()).toMatchObject({ inFlight: 1, leases: 1, waiting: 0 });
    behind.value?.release();
    expect(pool.stats()).toMatchObject({ inFlight: 0, leases: 0 });
    expect(connector.connects).toHaveLength(2);
  });

  it.each(["release", "discard"] as const)(
    "by %s has those refused who wait for a tool, once a plugin refuses them",
    async (how) => {
      let isOpen = false;
      const plugin = asking((asker) => (isOpen && typeof asker === "object" ? REFUSAL : undefined));
      const { pool, connector, clock } = exclusivePool({
        maxConnections: 2,
        tools: { slow: { maxConcurrent: 1 } },
        plugins: [plugin],
      });
      connector.onRequest.always(manual());
      const calls = [1, 2].map(() => outcomeOf(pool.request("tools/call", { name: "slow" })));
      const holder = await pool.acquire();
      const waiting = outcomeOf(pool.acquire());
      await clock.settle();
      isOpen = true;
      holder[how]();
      await clock.settle();
      expect([waiting.state, calls[0]?.state, calls[1]?.error]).toEqual(["resolved", "pending", REFUSAL]);
      connector.pending[0]?.resolve();
      await clock.settle();
      waiting.value?.release();
    },
  );
});

describe("pools of one server with a limit of requests in flight", () => {
  it("get its units in the order in which they have waited, be there more callers in the pool that gives one back", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: { ...exclusive(), maxConcurrentRequests: 1 } } });
    (await manager.acquire("a", { identity: "two" })).release();
    const holder = await manager.acquire("a", { identity: "one" });
    const other = outcomeOf(manager.acquire("a", { identity: "two" }));
    const own = outcomeOf(manager.acquire("a", { identity: "one" }));
    await clock.settle();
    holder.release();
    await clock.settle();
    expect([other.state, own.state]).toEqual(["resolved", "pending"]);
    other.value?.release();
    await clock.settle();
    expect(own.state).toBe("resolved");
    own.value?.release();
  });
});

describe("a pool below a global cap whose callers have been served", () => {
  it("has no other pool give up a connection for it any more", async () => {
    const scripted = scriptedManager({ max: 2, servers: { a: exclusive(), b: exclusive() } });
    const { manager, clock } = scripted;
    const [[ofA], [ofB]] = [await acquireMany(manager, "a", 1), await acquireMany(manager, "b", 1)];
    const waiting = outcomeOf(manager.acquire("a"));
    await clock.settle();
    ofA?.release();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    ofB?.release();
    await clock.advance(5_000);
    expect(openServers(scripted)).toEqual(["a", "b"]);
    waiting.value?.release();
  });
});
