import { describe, expect, it, vi } from "vitest";
import { CIRCUIT_BREAKER, HEALTH, McpConfigurationError } from "../src/index.ts";
import { after, type FakeClock, ok } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, type ScriptedPool, type ScriptedPoolSetup, scriptedPool } from "./scripted-pool.ts";

/** An exclusive pool that nobody listens to, on a clock whose coarse time lags 40 ms behind. */
function lagging(setup: ScriptedPoolSetup = {}): ScriptedPool {
  const environment = (clock: FakeClock) => ({
    clock: Object.assign(clock, { coarseNow: () => clock.now() - 40 }),
  });
  const made = exclusivePool({ ...setup, environment });
  made.recorder.stop();
  return made;
}

describe("the time at which a lease was acquired", () => {
  it("is exact for the leak detector, though nobody listens to releases", async () => {
    const { pool, clock } = lagging({ leakThresholdMs: 1_000 });
    const leaks: number[] = [];
    pool.subscribe((event) => event.type === "lease-leaked" && leaks.push(event.heldMs), ["lease-leaked"]);
    const lease = await pool.acquire();
    expect(lease.acquiredAt).toBe(clock.now());
    await clock.advance(1_000);
    expect(leaks).toEqual([1_000]);
    lease.release();
  });

  it("is exact for those who hear how long it was used, though no leak detector is on", async () => {
    const { pool, clock } = lagging();
    const uses: number[] = [];
    pool.subscribe((event) => event.type === "lease-released" && uses.push(event.useMs), ["lease-released"]);
    const lease = await pool.acquire();
    await clock.advance(10);
    lease.release();
    expect(uses).toEqual([10]);
  });

  it("is coarse where nobody wants to know: a look at the clock costs as much as all else about a lease", async () => {
    const { pool, clock } = lagging();
    const lease = await pool.acquire();
    expect(lease.acquiredAt).toBe(clock.now() - 40);
    lease.release();
  });
});

describe("the stack of a lease", () => {
  it("is not taken while no leak detector is on, whether its caller waited or not", async () => {
    const { pool } = exclusivePool();
    const waited = await pool.acquire();
    expect(waited.stack).toBeUndefined();
    waited.release();
    const lent = await pool.acquire();
    expect(lent.stack).toBeUndefined();
    lent.release();
  });
});

describe("a lease that is granted by a release", () => {
  it.each([undefined, 1_000])("is counted in the same turn (leakThresholdMs %s)", async (leakThresholdMs) => {
    const { pool, clock } = exclusivePool({ maxConnections: 1, leakThresholdMs });
    const holder = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    holder.release();
    expect(pool.stats()).toMatchObject({ leases: 1, inFlight: 1 });
    await clock.settle();
    waiting.value?.release();
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
  });
});

describe("a caller who is served, or leaves, in the turn in which it came", () => {
  it("has waited for no time at all", async () => {
    const { pool, clock, recorder } = exclusivePool({ maxConnections: 1 });
    const holder = await pool.acquire();
    const controller = new AbortController();
    const leaving = outcomeOf(pool.acquire({ signal: controller.signal }));
    controller.abort(new Error("enough"));
    const waiting = outcomeOf(pool.acquire());
    holder.release();
    await clock.settle();
    expect(leaving.state).toBe("rejected");
    expect(recorder.of("acquire-failed").map(({ waitMs }) => waitMs)).toEqual([0]);
    expect(recorder.of("lease-acquired").at(-1)?.waitMs).toBe(0);
    waiting.value?.release();
  });
});

describe("a lease that is released with an error that is no word of a connector", () => {
  it.each([null, undefined, "not-sent", 7, { judgement: "not-sent" }, new Error("not-sent")])(
    "such as %j keeps its connection",
    async (error) => {
      const { pool, connector, clock } = exclusivePool();
      const failing = outcomeOf(
        pool.use(() => {
          throw error;
        }),
      );
      await clock.settle();
      expect(failing).toEqual({ state: "rejected", error });
      expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
      expect(connector.connection(1).closes).toEqual([]);
    },
  );
});

describe("a listener to the notifications of a lease", () => {
  it("is taken off once, whether it ends before the lease, with it, or after it", async () => {
    const { pool, connector } = scriptedPool();
    await pool.request("ping");
    const connection = connector.connection(1);
    const off = vi.fn();
    vi.spyOn(connection, "onNotification").mockImplementation(() => () => off());
    const lease = await pool.acquire();
    const [early, late] = [lease.onNotification(() => {}), lease.onNotification(() => {})];
    early();
    early();
    expect(off).toHaveBeenCalledTimes(1);
    lease.release();
    expect(off).toHaveBeenCalledTimes(2);
    early();
    late();
    expect(off).toHaveBeenCalledTimes(2);
  });
});

describe("what a plugin would offer", () => {
  it("is missed with the name of the package that has it", () => {
    const { pool } = scriptedPool();
    const missing = (name: string) => ({
      code: "INVALID_CONFIGURATION",
      serverName: "files",
      issues: [{ path: "plugins", message: expect.stringContaining(name) }],
    });
    expect(() => pool.health).toThrow(McpConfigurationError);
    expect(() => pool.health).toThrow(expect.objectContaining(missing('"files" has no health checks')));
    expect(() => pool.circuitBreaker).toThrow(expect.objectContaining(missing('"files" has no circuit breaker')));
  });

  it("is what the plugin says", () => {
    const handle = { state: "closed" };
    const plugins = [HEALTH, CIRCUIT_BREAKER].map((name) => ({ name, install: () => ({ handle }) }));
    const { pool } = scriptedPool({ plugins });
    expect([pool.health, pool.circuitBreaker]).toEqual([handle, handle]);
  });
});

describe("a resource that is none", () => {
  it("is refused by a promise, to subscribe and to unsubscribe, be the parameters missing altogether", async () => {
    const { pool } = scriptedPool();
    const none = undefined as unknown as { uri: string };
    const refusal = { code: "VALIDATION_FAILED", issues: [{ path: "uri" }] };
    await expect(pool.subscribeResource(none)).rejects.toMatchObject(refusal);
    await expect(pool.unsubscribeResource(none)).rejects.toMatchObject(refusal);
  });
});

describe("an acquire that is refused at once", () => {
  it("is told as one that has failed, like those that waited", async () => {
    const { pool, recorder } = exclusivePool();
    await expect(pool.acquire({ stickyKey: "" })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    expect(recorder.of("acquire-failed")).toMatchObject([{ kind: "acquire", waitMs: 0 }]);
  });
});

describe("the client of a pool", () => {
  it("is one and the same, and goes by the options in force", async () => {
    const { pool, connector, clock } = scriptedPool();
    const { client } = pool;
    pool.reconfigure({ requestTimeoutMs: 1_000 });
    expect(pool.client).toBe(client);
    let page = 0;
    connector.onRequest.always(() => after(600, ok({ tools: [], nextCursor: `page ${++page}` })));
    const list = outcomeOf(client.listTools());
    await clock.advance(999);
    expect(list.state).toBe("pending");
    await clock.advance(1);
    expect(list.error).toMatchObject({ code: "TIMEOUT" });
    await clock.advance(1_000);
  });
});
