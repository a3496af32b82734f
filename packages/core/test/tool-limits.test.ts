import { describe, expect, it } from "vitest";
import { manual, ok, untilAborted } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

const call = (name: string) => ["tools/call", { name }] as const;

describe("a limit of calls of one tool", () => {
  it("keeps the others in line, in their order, and nobody else", async () => {
    const { pool, connector, clock } = scriptedPool({ tools: { slow: { maxConcurrent: 2 } } });
    connector.onRequest.always(({ params }) => (params?.name === "slow" ? manual() : ok({ content: [] })));
    const slow = Array.from({ length: 5 }, () => outcomeOf(pool.request(...call("slow"))));
    await clock.settle();
    expect([connector.requests.length, pool.stats().waiting]).toEqual([2, 3]);
    await pool.request(...call("quick"));
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(slow.map(({ state }) => state)).toEqual(["resolved", "pending", "pending", "pending", "pending"]);
    expect(connector.requests.filter(({ params }) => params?.name === "slow")).toHaveLength(3);
    for (let round = 0; round < 4; round++) {
      connector.pending[0]?.resolve();
      await clock.settle();
    }
    expect(slow.every(({ state }) => state === "resolved")).toBe(true);
    expect(pool.stats()).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it("is told as exhaustion when its time is up, and when the queue is full", async () => {
    const { pool, connector, clock } = scriptedPool({
      tools: { slow: { maxConcurrent: 1 } },
      acquireTimeoutMs: 500,
      maxWaiting: 1,
    });
    await pool.request("ping");
    connector.onRequest.always(manual());
    const first = outcomeOf(pool.request(...call("slow")));
    const waiting = outcomeOf(pool.request(...call("slow")));
    const tooMany = outcomeOf(pool.request(...call("slow")));
    await clock.advance(500);
    expect([first.state, tooMany.error, waiting.error]).toEqual([
      "pending",
      expect.objectContaining({ code: "POOL_EXHAUSTED", message: expect.stringContaining("maxWaiting 1") }),
      expect.objectContaining({ code: "POOL_EXHAUSTED", message: expect.stringContaining("within 500 ms") }),
    ]);
    connector.pending[0]?.resolve();
  });

  it("counts a call until nothing of it is left at the server, its caller's leaving notwithstanding", async () => {
    const { pool, connector, clock } = scriptedPool({ tools: { slow: { maxConcurrent: 1 } } });
    connector.onRequest.next(manual());
    const controller = new AbortController();
    const abandoned = outcomeOf(pool.request(...call("slow"), { signal: controller.signal }));
    await clock.settle();
    controller.abort(new Error("enough"));
    const next = outcomeOf(pool.request(...call("slow")));
    await clock.settle();
    expect([abandoned.state, next.state]).toEqual(["rejected", "pending"]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(next.state).toBe("resolved");
  });

  it("gives its unit back when a caller leaves the line", async () => {
    const { pool, connector, clock } = scriptedPool({
      sharing: "exclusive",
      maxConnections: 1,
      tools: { slow: { maxConcurrent: 1 } },
    });
    const lease = await pool.acquire();
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => outcomeOf(pool.request(...call("slow"), { signal })));
    await clock.settle();
    for (const controller of controllers) controller.abort(new Error("enough"));
    await clock.settle();
    expect(calls.map(({ state }) => state)).toEqual(["rejected", "rejected"]);
    lease.release();
    await pool.request(...call("slow"));
    expect(connector.requests).toHaveLength(1);
  });

  it("holds over all identities of a server", async () => {
    const { manager, connector, clock } = scriptedManager({
      servers: { files: { tools: { slow: { maxConcurrent: 1 } } } },
    });
    connector.onRequest.always(manual());
    const calls = ["alice", "bob"].map((identity) =>
      outcomeOf(manager.callTool("files", { name: "slow" }, { identity })),
    );
    await clock.settle();
    expect(connector.requests).toHaveLength(1);
    connector.pending[0]?.resolve();
    await clock.settle();
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(calls.map(({ state }) => state)).toEqual(["resolved", "resolved"]);
  });

  it("ends with the pool", async () => {
    const { pool, connector, clock } = scriptedPool({ tools: { slow: { maxConcurrent: 1 } } });
    connector.onRequest.always(untilAborted());
    const calls = [outcomeOf(pool.request(...call("slow"))), outcomeOf(pool.request(...call("slow")))];
    await clock.settle();
    void pool.close({ drainTimeoutMs: 0 });
    await clock.settle();
    expect(calls[1]?.error).toMatchObject({ code: "POOL_CLOSED" });
  });

  it("is one of the tool's settings, beside its own time", async () => {
    const { pool, connector, clock } = scriptedPool({ tools: { slow: { timeoutMs: 300 } }, requestTimeoutMs: 1_000 });
    connector.onRequest.always(untilAborted());
    const calls = [outcomeOf(pool.request(...call("slow"))), outcomeOf(pool.request(...call("other")))];
    await clock.advance(300);
    expect(calls.map(({ state }) => state)).toEqual(["rejected", "pending"]);
    await clock.advance(700);
  });

  it.each([
    [{ slow: { maxConcurrent: 0 } }, "tools.slow.maxConcurrent"],
    [{ slow: { timeoutMs: 0 } }, "tools.slow.timeoutMs"],
    [{ slow: { idempotent: "yes" } }, "tools.slow.idempotent"],
    [{ slow: { idempotant: true } }, "tools.slow.idempotant"],
    [{ slow: 1 }, "tools.slow must be"],
    [[], "tools must be"],
  ])("refuses %j", (tools, message) => {
    expect(() => scriptedPool({ tools: tools as never })).toThrow(message.split(" ")[0]);
  });
});
