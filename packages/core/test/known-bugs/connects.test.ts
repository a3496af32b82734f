import { describe, expect, it } from "vitest";
import { McpConnectionError, type McpPoolError } from "../../src/index.ts";
import { after, fail, hang, manual, throwing } from "../../src/testing/index.ts";
import { allowAboveMaximum, exclusivePool, outcomeOf, scriptedPool } from "../scripted-pool.ts";

const refused = new Error("connect ECONNREFUSED");

/** Bugs of other pools around opening; the numbers are those of docs/known-bugs-of-pools.md. */
describe("opening connections, where other pools went wrong", () => {
  it.each([
    ["rejects", fail(refused)],
    ["throws", throwing(refused)],
  ])(
    "1: a create that always %s costs a bounded number of tries, and callers and timers have their turn (generic-pool #175, #183)",
    async (_how, step) => {
      const { pool, connector, clock } = exclusivePool({ maxConnections: 4, connectionTimeoutMs: 5_000 });
      clock.setRandom(1);
      connector.onConnect.always(step);
      const tries: number[] = [];
      const callers = Array.from({ length: 30 }, () => outcomeOf(pool.acquire()));
      for (let second = 0; second < 60; second++) {
        callers.push(outcomeOf(pool.acquire()));
        await clock.advance(1_000);
        tries.push(connector.connects.length);
      }
      // 100 ms doubling up to 30 s: tries at 0, 0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3, 12.7, 25.5, 51.1 s.
      expect(tries.at(-1)).toBeLessThanOrEqual(11);
      expect(tries[5]).toBeGreaterThanOrEqual(6);
      await clock.advance(5_000);
      for (const { error } of callers) {
        expect(error).toBeInstanceOf(McpConnectionError);
        expect(causesOf(error)).toContain(refused);
      }
    },
  );

  it.each([
    ["rejects", fail(new Error("no"))],
    ["throws", throwing(new Error("no"))],
    ["never ends", hang()],
  ])(
    "6: a late connection whose close %s is reported to nobody, and its place is counted until then (tarn PR #48)",
    async (how, close) => {
      const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 50 });
      connector.onConnect.always(manual());
      connector.onClose.always(close);
      const unhandled: unknown[] = [];
      const listener = (reason: unknown) => unhandled.push(reason);
      process.on("unhandledRejection", listener);
      if (how === "never ends") allowAboveMaximum(pool);
      let concurrent = 0;
      for (let round = 0; round < 8; round++) {
        const caller = outcomeOf(pool.acquire());
        await clock.advance(60);
        expect(caller.state).toBe("rejected");
        concurrent = Math.max(concurrent, connector.pendingOf("connect").length);
        for (const call of connector.pendingOf("connect")) call.resolve();
        await clock.advance(11_000);
      }
      process.off("unhandledRejection", listener);
      expect(unhandled).toEqual([]);
      expect(concurrent, "connects in flight").toBe(1);
      expect(connector.connections.every(({ closes }) => closes.length === 1)).toBe(true);
    },
  );

  it("18: the second waiter is served though the first one's create failed (go#10886, HikariCP #452)", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 2 });
    connector.onConnect.next(after(10, fail(refused)), after(20));
    const [first, second] = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.advance(20);
    expect([first.state, second.state]).toEqual(["rejected", "resolved"]);
    second.value?.release();
  });

  it("20: hung creates do not hold up those who can be served elsewhere (HikariCP #1474, #2161)", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 3 });
    connector.onConnect.next(hang(), hang());
    const callers = Array.from({ length: 6 }, () =>
      outcomeOf(
        pool
          .use((client) => client.callTool({ name: "x" }))
          .then(() => {
            served++;
          }),
      ),
    );
    let served = 0;
    await clock.settle();
    expect(callers.map(({ state }) => state)).toEqual(Array(6).fill("resolved"));
    expect(served).toBe(6);
    allowAboveMaximum(pool);
  });

  it("26: an abort of a request in flight neither opens nor keeps a spare connection (undici #5845, #2198)", async () => {
    const { pool, connector, clock } = scriptedPool({ maxConnections: 5, connector: { concurrency: 4 } });
    connector.onRequest.always(manual());
    const controllers = Array.from({ length: 3 }, () => new AbortController());
    const requests = controllers.map(({ signal }) => outcomeOf(pool.request("slow", {}, { signal })));
    await clock.settle();
    for (const controller of controllers) controller.abort(new Error("enough"));
    await clock.settle();
    expect(requests.map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected"]);
    expect(connector.connects).toHaveLength(1);
    expect(pool.stats().connections).toMatchObject({ total: 1, connecting: 0 });
  });

  it("26: an abort while the connection is being opened leaves none behind (undici #5845)", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onConnect.next(after(100));
    const controller = new AbortController();
    const request = outcomeOf(pool.request("x", {}, { signal: controller.signal }));
    await clock.advance(50);
    controller.abort(new Error("enough"));
    await clock.advance(1_000);
    expect(request.state).toBe("rejected");
    expect(pool.stats().connections.total).toBe(0);
  });

  it("27: nothing grows with failed connects (undici #3895)", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 10 });
    connector.onConnect.always(fail(refused));
    for (let attempt = 0; attempt < 100; attempt++) {
      const caller = outcomeOf(pool.acquire());
      await clock.advance(31_000);
      expect(caller.state).toBe("rejected");
      expect(pool.stats().connections).toMatchObject({ total: 0, connecting: 0 });
      expect(connector.occupied).toBe(0);
    }
    expect(clock.pending.length).toBeLessThanOrEqual(2);
    expect(connector.listenerCount).toBe(0);
  });

  it("37: the reason why no connection could be opened is in the error of everybody who waited (tarn #43, #57)", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 1_000 });
    connector.onConnect.always(after(400, fail(refused)));
    const callers = Array.from({ length: 8 }, () => outcomeOf(pool.acquire()));
    await clock.advance(1_000);
    for (const { error } of callers) {
      expect(causesOf(error)).toContain(refused);
      expect((error as McpPoolError).message).toContain("ECONNREFUSED");
    }
  });

  it("40: a connection is opened once for many calls, not once for each (axsaucedo/kaos #74)", async () => {
    const { pool, connector, clock } = scriptedPool();
    for (let call = 0; call < 200; call++) {
      await pool.request("ping");
      await clock.advance(10);
    }
    expect(connector.connects).toHaveLength(1);
    expect(connector.requests).toHaveLength(200);
  });
});

/** An error and all its causes. */
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let each = error; each !== undefined; each = (each as Error).cause) causes.push(each);
  return causes;
}
