import { describe, expect, it } from "vitest";
import { after, hang, manual, ok, untilAborted } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("what happens to an exclusive connection at release", () => {
  it("goes to the next holder as it is, by default", async () => {
    const { pool, connector } = exclusivePool();
    (await pool.acquire()).release();
    const lease = await pool.acquire();
    expect([lease.connectionId, connector.connects.length, connector.requests.length]).toEqual([1, 1, 0]);
    lease.release();
  });

  it("is closed with onRelease: close, and the next holder gets a new one", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ onRelease: "close", maxConnections: 1 });
    const first = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    first.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["on-release"]);
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 2]);
    expect(recorder.of("connection-closed")).toMatchObject([{ connectionId: 1, reason: "on-release" }]);
    waiting.value?.release();
  });

  it("is closed after single requests too", async () => {
    const { pool, connector, clock } = exclusivePool({ onRelease: "close" });
    await pool.request("ping");
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["on-release"]);
  });

  it("is lent again when the reset function has resolved, and not before", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 1,
      onRelease: async (client) => void (await client.callTool({ name: "reset" })),
    });
    connector.onRequest.always(manual());
    const first = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    first.release();
    await clock.settle();
    expect(connector.requests).toMatchObject([{ method: "tools/call", params: { name: "reset" } }]);
    expect([waiting.state, pool.stats().leases, pool.stats().inFlight]).toEqual(["pending", 0, 1]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 1]);
    connector.onRequest.always(ok());
    waiting.value?.release();
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("cannot reset"))],
    [
      "throws",
      () => {
        throw new Error("cannot reset");
      },
    ],
  ])("is closed when the reset function %s", async (_how, onRelease) => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 1, onRelease });
    const first = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    first.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["on-release"]);
    expect(waiting.value?.connectionId).toBe(2);
    expect(recorder.of("connection-closed")).toMatchObject([{ cause: new Error("cannot reset") }]);
    waiting.value?.release();
  });

  it("is closed when the reset function takes longer than connectionTimeoutMs", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({
      maxConnections: 1,
      connectionTimeoutMs: 2_000,
      onRelease: () => new Promise(() => {}),
    });
    const first = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    first.release();
    await clock.advance(1_999);
    expect([waiting.state, connector.connection(1).closes]).toEqual(["pending", []]);
    await clock.advance(1);
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 2]);
    expect(recorder.of("connection-closed")).toMatchObject([{ cause: { code: "TIMEOUT" } }]);
    waiting.value?.release();
  });

  it("does not run the reset function for a connection that is to be closed anyway", async () => {
    let resets = 0;
    const { pool, clock } = exclusivePool({ onRelease: () => void resets++ });
    const lease = await pool.acquire();
    lease.discard();
    await clock.settle();
    expect(resets).toBe(0);
  });

  it("is closed when the reset function leaves a request running, which the next holder must not meet", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 1,
      onRelease: (client) => {
        client.callTool({ name: "reset" }).catch(() => {});
      },
    });
    connector.onRequest.next(after(1_000));
    (await pool.acquire()).release();
    const next = outcomeOf(pool.acquire());
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["abandoned"]);
    expect([next.state, next.value?.connectionId]).toEqual(["resolved", 2]);
    next.value?.discard();
  });

  it("gives the reset function a client that keeps to signals, to metadata, and to the time of the pool", async () => {
    const failures: unknown[] = [];
    const reason = new Error("too late");
    const { pool, connector, clock } = exclusivePool({
      connectionTimeoutMs: 5_000,
      onRelease: async (client) => {
        await client
          .callTool({ name: "a" }, { signal: AbortSignal.abort(reason) })
          .catch((error) => failures.push(error));
        await client.callTool({ name: "b" }, { timeoutMs: Number.NaN }).catch((error) => failures.push(error));
        await client.callTool({ name: "c" }, { meta: { trace: "1" } });
        let page = 0;
        connector.onRequest.always(() => after(400, ok({ tools: [], nextCursor: String(++page) })));
        await client.listTools({ timeoutMs: 1_000 }).catch((error) => failures.push(error));
        connector.onRequest.always(ok());
      },
    });
    (await pool.acquire()).release();
    await clock.advance(4_000);
    expect(failures).toMatchObject([reason, { code: "VALIDATION_FAILED" }, { code: "TIMEOUT" }]);
    const [first, ...pages] = connector.requests;
    expect(first?.params).toEqual({ name: "c", _meta: { trace: "1" } });
    expect(pages).toHaveLength(3);
  });

  it("means nothing to a shared pool", async () => {
    const { pool, connector, clock } = scriptedPool({ onRelease: "close" });
    await pool.request("ping");
    await clock.settle();
    expect(connector.live).toHaveLength(1);
  });
});

describe("what an exclusive holder leaves running", () => {
  it("meets no successor when its request is aborted: the connection is retired", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    connector.onRequest.next(hang());
    const controller = new AbortController();
    const lease = await pool.acquire();
    const request = outcomeOf(lease.request("tools/call", { name: "a" }, { signal: controller.signal }));
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    controller.abort("enough");
    await clock.settle();
    expect([request.error, waiting.state]).toEqual(["enough", "pending"]);
    expect(pool.stats().connections.draining).toBe(1);
    lease.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["abandoned"]);
    expect(waiting.value?.connectionId).toBe(2);
    waiting.value?.release();
  });

  it("meets no successor when its request times out", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, requestTimeoutMs: 1_000 });
    connector.onRequest.next(hang());
    const request = outcomeOf(pool.request("ping"));
    await clock.advance(1_000);
    expect(request.error).toMatchObject({ code: "TIMEOUT", phase: "request", outcome: "unknown" });
    const lease = await pool.acquire();
    expect([lease.connectionId, connector.connection(1).closes]).toEqual([2, ["request-failed"]]);
    lease.release();
  });

  it("meets no successor when the lease is released before its request has ended", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    connector.onRequest.next(after(500), untilAborted());
    const work = outcomeOf(
      pool.use(async (client) => {
        void client.callTool({ name: "left behind" }).catch(() => {});
        throw new Error("oops");
      }),
    );
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    expect(work.error).toEqual(new Error("oops"));
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 2]);
    expect(connector.connection(1).closes).toEqual(["abandoned"]);
    waiting.value?.release();
  });
});
