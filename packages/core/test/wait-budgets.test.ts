import { describe, expect, it } from "vitest";
import { McpPoolExhaustedError } from "../src/index.ts";
import { after, manual } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("the time a caller may wait", () => {
  it("is the caller's own where an acquire brings one, be it longer than the pool's for taken room", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 100 });
    const lease = await pool.acquire();
    const patient = outcomeOf(pool.acquire({ timeoutMs: 5_000 }));
    await clock.advance(4_999);
    expect(patient.state).toBe("pending");
    await clock.advance(1);
    expect(patient.error).toBeInstanceOf(McpPoolExhaustedError);
    lease.release();
  });

  it("or longer than the pool's for an opening", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 100 });
    connector.onConnect.next(after(90), after(90));
    const first = outcomeOf(pool.acquire());
    const patient = outcomeOf(pool.acquire({ timeoutMs: 5_000 }));
    await clock.advance(90);
    first.value?.discard();
    await clock.advance(90);
    expect(patient.state).toBe("resolved");
    patient.value?.release();
  });

  it("is the pool's for a request, however much time the request itself has", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 100 });
    const lease = await pool.acquire();
    const request = outcomeOf(pool.request("ping", {}, { timeoutMs: 60_000 }));
    await clock.advance(99);
    expect(request.state).toBe("pending");
    await clock.advance(1);
    expect(request.error).toBeInstanceOf(McpPoolExhaustedError);
    lease.release();
  });

  it("is charged for one opening after the other, with taken room in between", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 1,
      connectionTimeoutMs: 1_000,
      acquireTimeoutMs: 10_000,
    });
    connector.onConnect.always(after(600));
    const first = outcomeOf(pool.acquire());
    const last = outcomeOf(pool.acquire());
    await clock.advance(600);
    expect([first.state, last.state]).toEqual(["resolved", "pending"]);
    await clock.advance(5_000);
    first.value?.discard();
    await clock.advance(399);
    expect(last.state, "600 ms of the first opening, 399 of the second").toBe("pending");
    await clock.advance(1);
    expect(last.error).toMatchObject({ code: "TIMEOUT", phase: "connect" });
  });
});

describe("callers who share a sticky key whose connection is being opened", () => {
  it("still share one when a follower leaves", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 3 });
    connector.onConnect.always(manual());
    const controller = new AbortController();
    const [leader, leaving, staying] = [undefined, controller.signal, undefined].map((signal) =>
      outcomeOf(pool.acquire({ stickyKey: "a", signal })),
    );
    await clock.settle();
    controller.abort(new Error("enough"));
    await clock.settle();
    expect(leaving?.state).toBe("rejected");
    expect(connector.connects).toHaveLength(1);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([leader?.state, staying?.state]).toEqual(["resolved", "pending"]);
    leader?.value?.release();
    await clock.settle();
    expect(staying?.value?.connectionId).toBe(1);
    staying?.value?.release();
  });

  it("pass the lead on each time the one who leads leaves", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    const taken = await pool.acquire();
    const controllers = [new AbortController(), new AbortController(), new AbortController()];
    const callers = controllers.map(({ signal }) => outcomeOf(pool.acquire({ stickyKey: "a", signal })));
    await clock.settle();
    controllers[0]?.abort(new Error("enough"));
    controllers[1]?.abort(new Error("enough"));
    await clock.settle();
    taken.release();
    await clock.settle();
    expect(callers.map(({ state }) => state)).toEqual(["rejected", "rejected", "resolved"]);
    expect(connector.connects).toHaveLength(1);
    callers[2]?.value?.release();
  });
});

describe("what a caller learns", () => {
  it("is whether it was served at once, by acquire and tryAcquire alike", async () => {
    const { pool, clock, recorder } = exclusivePool({ maxConnections: 1 });
    (await pool.acquire()).release();
    (await pool.acquire()).release();
    pool.tryAcquire()?.release();
    await clock.settle();
    expect(recorder.of("lease-acquired").map(({ isHit }) => isHit)).toEqual([false, true, true]);
  });

  it("names the server, also when the error is made by a client of the pool or of a lease", async () => {
    const { pool } = scriptedPool();
    const wrong = { name: 7 } as unknown as { name: string };
    const lease = await pool.acquire();
    for (const client of [pool.client, lease.client]) {
      await expect(client.callTool(wrong)).rejects.toMatchObject({
        code: "VALIDATION_FAILED",
        serverName: "files",
        message: expect.stringContaining('MCP server "files"'),
      });
    }
    lease.release();
    await expect(lease.request("ping")).rejects.toMatchObject({ code: "VALIDATION_FAILED", serverName: "files" });
    expect(() => lease.raw).toThrow("was used after its release");
  });

  it("is told of a circuit breaker that is missing with the path of the option", () => {
    const { pool } = scriptedPool();
    const error = caught(() => pool.circuitBreaker);
    expect(error).toMatchObject({ serverName: "files", issues: [{ path: "plugins" }] });
    const change = caught(() => pool.reconfigure({ sharing: "exclusive" }));
    expect(change).toMatchObject({ issues: [{ path: "sharing", message: expect.stringContaining("cannot change") }] });
  });
});

function caught(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
