import { describe, expect, it } from "vitest";
import { McpConnectionError, McpValidationError } from "../src/index.ts";
import { judged, manual, ok } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("a lease", () => {
  it("carries the pool's work on one connection", async () => {
    const { pool, connector } = scriptedPool({ maxRequestsPerConnection: 1 });
    const [first, second] = await acquireMany(pool, 2);
    await second?.client.callTool({ name: "a" });
    await second?.request("ping");
    expect(connector.connection(2).requests.map(({ method }) => method)).toEqual(["tools/call", "ping"]);
    expect(connector.connection(1).requests).toEqual([]);
    expect(second?.raw).toBe(connector.connection(2).raw);
    first?.release();
    second?.release();
  });

  it("is counted, and its room is its own, until it is released", async () => {
    const { pool, recorder, clock } = exclusivePool();
    const lease = await pool.acquire();
    expect(pool.stats()).toMatchObject({ leases: 1, inFlight: 1, connections: { busy: 1, active: 1, idle: 0 } });
    await clock.advance(30);
    lease.release();
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0, connections: { ready: 1, active: 0, idle: 1 } });
    expect(recorder.types).toEqual(["acquire-queued", "connection-opened", "lease-acquired", "lease-released"]);
    expect(recorder.of("lease-released")).toMatchObject([{ leaseId: lease.id, useMs: 30 }]);
  });

  it("ends with its block under await using", async () => {
    const { pool } = scriptedPool();
    {
      await using lease = await pool.acquire();
      expect(lease.isReleased).toBe(false);
    }
    expect(pool.stats().leases).toBe(0);
  });

  it("is released once, however often it is told to, and hurts no later holder", async () => {
    const { pool, recorder } = exclusivePool({ maxConnections: 1 });
    const former = await pool.acquire();
    former.release();
    const holder = await pool.acquire();
    recorder.clear();
    former.release();
    former.discard();
    await former[Symbol.asyncDispose]();
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats()).toMatchObject({ leases: 1, inFlight: 1, connections: { busy: 1 } });
    expect(recorder.types).toEqual(["lease-released-again", "lease-released-again", "lease-released-again"]);
    await holder.request("ping");
    holder.release();
  });

  it("sends nothing after its release", async () => {
    const { pool, connector } = scriptedPool();
    const lease = await pool.acquire();
    const { client } = lease;
    lease.release();
    await expect(lease.request("ping")).rejects.toBeInstanceOf(McpValidationError);
    await expect(client.callTool({ name: "a" })).rejects.toThrow(`lease ${lease.id}`);
    expect(() => lease.raw).toThrow(McpValidationError);
    expect(connector.requests).toEqual([]);
  });

  it("sends nothing once its connection is gone", async () => {
    const { pool, connector, clock } = scriptedPool();
    const lease = await pool.acquire();
    connector.connection(1).die();
    await clock.settle();
    await expect(lease.request("ping")).rejects.toBeInstanceOf(McpConnectionError);
    expect(connector.requests).toEqual([]);
    lease.release();
  });

  it("closes its connection when it is discarded, and when all else on it has ended", async () => {
    const { pool, connector, clock, recorder } = scriptedPool();
    connector.onRequest.always(manual());
    const lease = await pool.acquire();
    const request = outcomeOf(pool.request("ping"));
    recorder.clear();
    lease.discard(new Error("garbled"));
    await clock.settle();
    expect(connector.connection(1).closes).toEqual([]);
    expect(pool.stats().connections.draining).toBe(1);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(request.state).toBe("resolved");
    expect(connector.connection(1).closes).toEqual(["discarded"]);
    expect(recorder.types).toEqual([
      "connection-retired",
      "lease-released",
      "request-finished",
      "request-settled",
      "connection-closed",
    ]);
    expect(recorder.of("connection-closed")).toMatchObject([{ reason: "discarded", cause: new Error("garbled") }]);
  });

  it.each([
    ["not-sent", 0],
    ["outcome-unknown", 0],
    ["session-lost", 0],
    ["answered", 1],
    ["overloaded", 1],
    ["unauthorised", 1],
  ] as const)("released with an error judged as %s leaves %i connections", async (judgement, left) => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(judged(judgement));
    const work = pool.use((client) => client.callTool({ name: "a" }));
    await expect(work).rejects.toThrow(judgement);
    await clock.settle();
    expect(connector.live).toHaveLength(left);
  });

  it("released with any other error keeps its connection", async () => {
    const { pool, connector, clock } = scriptedPool();
    const lease = await pool.acquire();
    lease.release(new Error("a bug of the caller"));
    await clock.settle();
    expect(connector.live).toHaveLength(1);
  });
});

describe("use()", () => {
  it("lends a connection for one piece of work, and returns its result", async () => {
    const { pool, connector } = scriptedPool();
    connector.onRequest.next(ok({ content: [{ type: "text", text: "hi" }] }));
    const result = await pool.use((client, lease) => {
      expect(pool.stats().leases).toBe(1);
      expect(lease.client).toBe(client);
      return client.callTool({ name: "a" });
    });
    expect(result.content).toEqual([{ type: "text", text: "hi" }]);
    expect(pool.stats().leases).toBe(0);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("oops");
      },
    ],
    ["rejects", () => Promise.reject(new Error("oops"))],
  ])("gives the connection back when the work %s", async (_how, work) => {
    const { pool } = exclusivePool({ maxConnections: 1 });
    await expect(pool.use(work)).rejects.toThrow("oops");
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0, connections: { ready: 1 } });
  });

  it("leaves a lease alone that the work has ended itself", async () => {
    const { pool, recorder } = scriptedPool();
    await pool.use((_client, lease) => lease.release());
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
    expect(recorder.of("lease-released")).toHaveLength(1);
  });
});

describe("tryAcquire()", () => {
  it("lends what is ready, and nothing else", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    expect(pool.tryAcquire()).toBeUndefined();
    await clock.settle();
    expect(connector.connects).toEqual([]);
    (await pool.acquire()).release();
    const lease = pool.tryAcquire();
    expect(lease?.connectionId).toBe(1);
    expect(pool.tryAcquire()).toBeUndefined();
    lease?.release();
    expect(pool.stats().counters).toMatchObject({ hits: 1, borrowed: 2, returned: 2 });
  });
});

describe("options of a call that are wrong", () => {
  it.each([
    [{ timeoutMs: 0 }, "timeoutMs"],
    [{ timeoutMs: Number.NaN }, "timeoutMs"],
    [{ timeoutMs: "5" }, "timeoutMs"],
    [{ signal: {} }, "signal"],
    [{ sharing: "exclusive" }, "sharing"],
    [{ sharing: "some" }, "sharing"],
    [{ stickyKey: "a" }, "stickyKey"],
  ])("reject an acquire with %o", async (options, path) => {
    const { pool } = scriptedPool();
    const error: unknown = await pool.acquire(options as never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(McpValidationError);
    expect(error).toMatchObject({ code: "VALIDATION_FAILED", issues: [{ path }] });
    expect(pool.stats().counters.errors.validation).toBe(1);
  });

  it("reject a request, and listTools", async () => {
    const { pool, connector } = scriptedPool();
    for (const call of [pool.request("ping", {}, { timeoutMs: -1 }), pool.listTools({ timeoutMs: -1 })]) {
      await expect(call).rejects.toMatchObject({ code: "VALIDATION_FAILED", issues: [{ path: "timeoutMs" }] });
    }
    expect(connector.connects).toEqual([]);
  });

  it("reject a sticky key that is empty, or shared access to an exclusive pool", async () => {
    const { pool } = exclusivePool();
    await expect(pool.acquire({ stickyKey: "" })).rejects.toMatchObject({ issues: [{ path: "stickyKey" }] });
    await expect(pool.acquire({ sharing: "shared" })).rejects.toMatchObject({ issues: [{ path: "sharing" }] });
  });
});
