import { describe, expect, it } from "vitest";
import type { Lease, PoolControl, PoolPlugin } from "../src/index.ts";
import { after, hang, ok } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, expectBalance, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("who calls the pool while it decides", () => {
  it("from a probe gets a connection to itself, which is not lent once more", async () => {
    const all = exclusivePool({ maxConnections: 2 });
    const { pool, connector, clock } = all;
    for (const lease of await acquireMany(pool, 2)) lease.release();
    await clock.advance(600);
    connector.connection(1).notify({ method: "notifications/message" });
    const inner: (Lease | undefined)[] = [];
    connector.onProbe.always(() => {
      inner.push(pool.tryAcquire());
      return ok();
    });
    const outer = outcomeOf(pool.acquire());
    await clock.settle();
    expect(inner.map((lease) => lease?.connectionId)).toEqual([1]);
    expect(outer).toMatchObject({ state: "resolved", value: { connectionId: 2 } });
    expectBalance(all);
  });

  it("when it is asked about a caller may retire the connection that the caller would have got", async () => {
    let control: PoolControl | undefined;
    let isArmed = false;
    const plugin: PoolPlugin = {
      name: "retirer",
      install: (own) => {
        control = own;
        return {
          admit() {
            for (const each of isArmed ? own.connections() : []) own.retire(each, "evicted");
            isArmed = false;
            return undefined;
          },
        };
      },
    };
    const all = scriptedPool({ maxConnections: 1, maxRequestsPerConnection: 2, plugins: [plugin] });
    const { pool, clock } = all;
    const leases = await acquireMany(pool, 2);
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    isArmed = true;
    leases[0]?.release();
    await clock.settle();
    expect([waiting.state, [...(control?.connections() ?? [])].map(({ state }) => state)]).toEqual([
      "pending",
      ["draining"],
    ]);
    leases[1]?.release();
    await clock.settle();
    expect(waiting).toMatchObject({ state: "resolved", value: { connectionId: 2 } });
    expectBalance(all);
  });

  it("may abort a call that has its room just now, so that nothing is sent", async () => {
    const all = scriptedPool({ maxConnections: 2, maxRequestsPerConnection: 4, maxUses: 2 });
    const { pool, connector, clock } = all;
    const controller = new AbortController();
    pool.subscribe(() => controller.abort("enough"), ["connection-retired"]);
    connector.onRequest.always(hang());
    outcomeOf(pool.request("first"));
    await clock.settle();
    const second = outcomeOf(pool.request("second", undefined, { signal: controller.signal }));
    await clock.settle();
    expect(second.error).toBe("enough");
    expect(connector.connections.flatMap(({ requests }) => requests.map(({ method }) => method))).toEqual(["first"]);
    expect(pool.stats()).toMatchObject({ inFlight: 1, counters: { requests: 1 } });
    expectBalance(all);
  });
});

describe("a call on an exclusive connection that its caller gives up", () => {
  it("is cancelled before the connection is closed", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    const controller = new AbortController();
    const wasCancelled: unknown[] = [];
    connector.onRequest.next(hang());
    connector.onClose.always(() => {
      wasCancelled.push(connector.connection(1).requests[0]?.options.signal.aborted);
      return ok();
    });
    const call = outcomeOf(pool.request("slow", undefined, { signal: controller.signal }));
    await clock.settle();
    controller.abort("enough");
    await clock.settle();
    expect([call.error, wasCancelled]).toEqual(["enough", [true]]);
  });
});

describe("an attempt whose headers took their time", () => {
  it("has its own time from when it begins, not from when the call did", async () => {
    const { pool, connector, clock } = scriptedPool({ attemptTimeoutMs: 100, requestTimeoutMs: 1_000 });
    await pool.request("first");
    connector.onRequest.always(after(50));
    const headers = () => new Promise<Record<string, string>>((resolve) => clock.setTimer(() => resolve({}), 500));
    const call = outcomeOf(pool.request("late", undefined, { headers }));
    await clock.advance(600);
    expect([call.state, call.error]).toEqual(["resolved", undefined]);
  });
});
