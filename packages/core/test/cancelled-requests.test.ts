import { describe, expect, it } from "vitest";
import { RequestFailure } from "../src/index.ts";
import { hang, manual, ok, ScriptedConnector } from "../src/testing/index.ts";
import { outcomeOf, type ScriptedPool, scriptedPool } from "./scripted-pool.ts";

/** A shared connection with room for two. */
function twoAtATime(): ScriptedPool {
  return scriptedPool({ maxRequestsPerConnection: 2, maxConnections: 1, acquireTimeoutMs: 100_000 });
}

/** Has the server told that nobody waits for a call; returns what settles its late answer. */
async function cancelled({ pool, connector, clock }: ScriptedPool, name = "a"): Promise<(value?: boolean) => void> {
  let settle: (value?: boolean) => void = () => {};
  const lateAnswer = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  const controller = new AbortController();
  connector.onRequest.next(manual());
  const call = outcomeOf(pool.request("tools/call", { name }, { signal: controller.signal }));
  await clock.settle();
  controller.abort("enough");
  connector
    .pendingOf("request")
    .at(-1)
    ?.reject(new RequestFailure("aborted", "aborted", { lateAnswer }));
  await clock.settle();
  expect(call.error).toBe("enough");
  return settle;
}

describe("a request that was cancelled", () => {
  it("gives its room back when the server answers a later question, and says nothing more of it for a second", async () => {
    const all = twoAtATime();
    const { pool, connector, clock, recorder } = all;
    await cancelled(all);
    await clock.advance(999);
    expect([pool.stats().inFlight, connector.connection(1).probes]).toEqual([1, 0]);
    await clock.advance(1);
    expect([pool.stats().inFlight, connector.connection(1).probes]).toEqual([0, 1]);
    await clock.advance(60_000);
    expect(recorder.of("connection-suspected")).toEqual([]);
    expect(pool.stats()).toMatchObject({ counters: { created: 1 } });
  });

  it("needs no question where something that was sent later was answered, and does where it was sent before", async () => {
    const all = twoAtATime();
    const { pool, connector, clock } = all;
    await cancelled(all);
    await clock.advance(1);
    await pool.request("tools/call", { name: "later" });
    await clock.advance(998);
    expect(pool.stats().inFlight).toBe(1);
    await clock.advance(1);
    expect([pool.stats().inFlight, connector.connection(1).probes]).toEqual([0, 0]);
    connector.onRequest.next(manual());
    const earlier = outcomeOf(pool.request("tools/call", { name: "earlier" }));
    await clock.advance(1);
    await cancelled(all);
    connector.onProbe.always(hang());
    connector.pendingOf("request")[0]?.resolve({ content: [] });
    await clock.advance(5_000);
    expect([earlier.state, pool.stats().inFlight]).toEqual(["resolved", 1]);
    await pool.request("tools/call", { name: "later" });
    await clock.advance(1_000);
    expect(pool.stats().inFlight).toBe(0);
  });

  it("keeps its room for 30 s on a server that answers nothing, and the connection is in doubt then", async () => {
    const all = twoAtATime();
    const { pool, connector, clock, recorder } = all;
    connector.onProbe.always(hang());
    await cancelled(all);
    await clock.advance(29_999);
    expect([pool.stats().inFlight, recorder.of("connection-suspected").length]).toEqual([1, 0]);
    await clock.advance(1);
    expect([pool.stats().inFlight, recorder.of("connection-suspected").length]).toEqual([0, 1]);
  });

  it("shares one question with others, which counts for those alone that were cancelled before it", async () => {
    const all = twoAtATime();
    const { pool, connector, clock } = all;
    connector.onProbe.next(manual(), ok());
    await cancelled(all);
    await clock.advance(1_500);
    await cancelled(all, "b");
    await clock.advance(1_000);
    expect([pool.stats().inFlight, connector.connection(1).probes]).toEqual([2, 1]);
    connector.pendingOf("probe")[0]?.resolve();
    await clock.settle();
    expect(pool.stats().inFlight).toBe(1);
    await clock.advance(1_000);
    expect([pool.stats().inFlight, connector.connection(1).probes]).toEqual([0, 2]);
  });

  it("keeps its room until its late answer from a server that has answered this kind in spite of all", async () => {
    const all = twoAtATime();
    const { pool, connector, clock } = all;
    const answer = await cancelled(all);
    await clock.advance(1_000);
    expect(pool.stats().inFlight).toBe(0);
    answer();
    await clock.settle();
    const late = await cancelled(all);
    await cancelled(all, "another kind");
    await clock.advance(20_000);
    expect([pool.stats().inFlight, connector.connection(1).probes]).toEqual([1, 2]);
    late();
    await clock.settle();
    expect(pool.stats().inFlight).toBe(0);
  });

  it.each([
    ["crosses the cancellation on the way", 500, undefined],
    ["is no longer waited for", 2_000, false],
  ])("is believed as before when its answer %s", async (_what, afterMs, value) => {
    const all = twoAtATime();
    const { pool, clock } = all;
    const answer = await cancelled(all);
    await clock.advance(afterMs);
    answer(value);
    await clock.settle();
    expect(pool.stats().inFlight).toBe(0);
    await cancelled(all);
    await clock.advance(1_000);
    expect(pool.stats().inFlight).toBe(0);
  });

  it("keeps nobody from working for long, however many callers give up", async () => {
    const all = twoAtATime();
    const { pool, clock } = all;
    for (let times = 0; times < 6; times++) {
      await cancelled(all);
      await cancelled(all);
      const next = outcomeOf(pool.request("tools/call", { name: "b" }));
      await clock.advance(1_000);
      expect(next.state).toBe("resolved");
    }
  });

  it.each<readonly [string, (all: ScriptedPool) => void]>([
    ["a pool that closes", ({ pool }) => void pool.close()],
    ["a connection that is replaced", ({ pool, clock }) => pool.reconfigure({}, new ScriptedConnector({ clock }))],
    ["a connection that dies", ({ connector }) => connector.connection(1).die(new Error("killed"))],
  ])("holds up %s no longer, and its late answer changes nothing", async (_what, stop) => {
    const all = twoAtATime();
    const { pool, connector, clock } = all;
    const answer = await cancelled(all);
    stop(all);
    await clock.settle();
    expect([connector.connection(1).closes.length, connector.connection(1).state]).toEqual([1, "closed"]);
    answer();
    await clock.advance(60_000);
    expect(pool.stats()).toMatchObject({ inFlight: 0, counters: { borrowed: 1, returned: 1 } });
  });

  it("leaves a pool that closes its time for others", async () => {
    const all = twoAtATime();
    const { pool, connector, clock } = all;
    await cancelled(all);
    connector.onRequest.next(manual());
    const other = outcomeOf(pool.request("other"));
    const closing = outcomeOf(pool.close());
    await clock.advance(5_000);
    expect([other.state, closing.state, pool.stats().inFlight]).toEqual(["pending", "pending", 1]);
    connector.pendingOf("request")[0]?.resolve({});
    await clock.settle();
    expect([other.state, closing.state]).toEqual(["resolved", "resolved"]);
  });
});
