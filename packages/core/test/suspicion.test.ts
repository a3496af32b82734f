import { describe, expect, it } from "vitest";
import { fail, hang, judged, manual, ok, untilAborted } from "../src/testing/index.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

/** A shared connection on which a request has just timed out; its probe and another request wait for the test. */
async function suspected({ withAnother = false } = {}) {
  const all = scriptedPool({ attemptTimeoutMs: 1_000, requestTimeoutMs: 100_000 });
  const { pool, connector, clock, recorder } = all;
  connector.onProbe.next(manual());
  connector.onRequest.next(untilAborted());
  const lease = withAnother ? await pool.acquire() : undefined;
  const request = outcomeOf(pool.request("slow"));
  await clock.advance(1_000);
  recorder.clear();
  return { ...all, request, lease };
}

describe("a connection on which a request timed out", () => {
  it("gets no new work until a probe passes", async () => {
    const { pool, connector, clock, request } = await suspected();
    expect(request.error).toMatchObject({ code: "TIMEOUT" });
    expect(pool.stats().connections.checking).toBe(1);
    const next = outcomeOf(pool.request("next"));
    await clock.settle();
    expect(next.state).toBe("resolved");
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it("tells of the doubt and of its end", async () => {
    const { pool, connector, clock, recorder } = scriptedPool({ attemptTimeoutMs: 1_000 });
    connector.onRequest.next(untilAborted());
    connector.onProbe.next(manual());
    const request = outcomeOf(pool.request("slow"));
    await clock.advance(1_000);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(recorder.types).toEqual([
      "acquire-queued",
      "connection-opened",
      "connection-suspected",
      "request-finished",
      "request-settled",
      "connection-cleared",
    ]);
    expect(request.state).toBe("rejected");
  });

  it("is closed when the probe fails and nothing is in flight", async () => {
    const { connector, clock, recorder } = await suspected();
    connector.pending[0]?.reject(new Error("no answer"));
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["probe-failed"]);
    expect(recorder.of("connection-closed")).toMatchObject([
      { reason: "probe-failed", cause: { code: "HEALTH_CHECK_FAILED" } },
    ]);
  });

  it("lives on in doubt when the probe fails while something is in flight, and is probed again when it is empty", async () => {
    const { pool, connector, clock, lease } = await suspected({ withAnother: true });
    connector.pending[0]?.reject(new Error("busy"));
    await clock.settle();
    expect(pool.stats()).toMatchObject({ inFlight: 1, connections: { checking: 1 } });
    await pool.request("elsewhere");
    expect(connector.requests.at(-1)?.connection).toBe(2);
    connector.onProbe.next(fail(new Error("dead")));
    lease?.release();
    await clock.settle();
    expect(connector.connection(1).probes).toBe(2);
    expect(connector.connection(1).closes).toEqual(["probe-failed"]);
  });

  it.each([
    [
      "a notification",
      (all: Awaited<ReturnType<typeof suspected>>) => all.connector.connection(1).notify({ method: "x" }),
    ],
    ["an answer", (all: Awaited<ReturnType<typeof suspected>>) => void all.lease?.request("ping")],
  ])("is trusted again when it speaks: %s", async (_what, speak) => {
    const all = await suspected({ withAnother: true });
    const { connector, clock, pool, recorder, lease } = all;
    connector.pending[0]?.reject(new Error("busy"));
    await clock.settle();
    expect(pool.stats().connections.checking).toBe(1);
    speak(all);
    await clock.settle();
    expect(recorder.types).toContain("connection-cleared");
    expect(pool.stats().connections).toMatchObject({ checking: 0, ready: 1 });
    lease?.release();
  });

  it("is retired after three time-outs in a row, though its probes pass", async () => {
    const { pool, connector, clock } = scriptedPool({ attemptTimeoutMs: 1_000 });
    connector.onRequest.always(untilAborted());
    for (let timeouts = 1; timeouts <= 3; timeouts++) {
      expect(connector.live.every(({ closes }) => closes.length === 0)).toBe(true);
      const request = outcomeOf(pool.request("slow"));
      await clock.advance(1_000);
      expect(request.state).toBe("rejected");
    }
    expect(connector.connects).toHaveLength(1);
    expect(connector.connection(1).closes).toEqual(["request-failed"]);
  });

  it.each([
    ["a result", ok()],
    ["a JSON-RPC error", judged("answered", "no", { cause: new Error("no") })],
  ])("begins to count anew after %s", async (_what, answer) => {
    const { pool, connector, clock } = scriptedPool({ attemptTimeoutMs: 1_000 });
    for (let round = 0; round < 3; round++) {
      connector.onRequest.next(untilAborted(), untilAborted(), answer);
      for (let request = 0; request < 3; request++) {
        const outcome = outcomeOf(pool.request("slow"));
        await clock.advance(1_000);
        expect(outcome.state).not.toBe("pending");
      }
    }
    expect(connector.connects).toHaveLength(1);
    expect(connector.connection(1).closes).toEqual([]);
  });

  it("has one probe at a time", async () => {
    const { pool, connector, clock } = scriptedPool({ attemptTimeoutMs: 1_000 });
    connector.onRequest.always(hang());
    connector.onProbe.always(manual());
    const requests = [outcomeOf(pool.request("a")), outcomeOf(pool.request("b"))];
    await clock.advance(1_000);
    expect(requests.map(({ state }) => state)).toEqual(["rejected", "rejected"]);
    expect(connector.connection(1).probes).toBe(1);
    connector.onProbe.always(ok());
  });

  it("does not keep callers waiting for its room when a probe has decided nothing", async () => {
    const { pool, connector, clock } = scriptedPool({ attemptTimeoutMs: 100, maxConnections: 2 });
    connector.onRequest.next(hang());
    connector.onProbe.always(untilAborted());
    const lost = outcomeOf(pool.request("slow"));
    await clock.advance(100);
    expect(lost.state).toBe("rejected");
    const waiting = outcomeOf(pool.request("ping"));
    await clock.advance(5_000);
    expect([waiting.state, connector.connects.length]).toEqual(["resolved", 2]);
  });
});
