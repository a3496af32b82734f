import { describe, expect, it } from "vitest";
import { McpHealthCheckError } from "../src/index.ts";
import { fail, hang, judged, manual, throwing } from "../src/testing/index.ts";
import { acquireMany, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

/** A pool with idle connections that were quiet for the given time. */
async function quietPool(quietMs: number, setup: Parameters<typeof exclusivePool>[0] = {}, connections = 1) {
  const all = exclusivePool(setup);
  const leases = await acquireMany(all.pool, connections);
  for (const lease of leases) lease.release();
  await all.clock.advance(quietMs);
  all.recorder.clear();
  return all;
}

describe("validation before a connection is lent", () => {
  it("leaves a connection alone that was alive within the last 500 ms", async () => {
    const { pool, connector } = await quietPool(500);
    (await pool.acquire()).release();
    expect(connector.connection(1).probes).toBe(0);
  });

  it("probes a connection that was quiet for longer, while its caller waits", async () => {
    const { pool, connector, clock, recorder } = await quietPool(501);
    connector.onProbe.next(manual());
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    expect([waiting.state, connector.connection(1).probes]).toEqual(["pending", 1]);
    expect(pool.stats().connections).toMatchObject({ checking: 1, total: 1 });
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 1]);
    waiting.value?.release();
    expect(recorder.types).toEqual(["acquire-queued", "lease-acquired", "lease-released"]);
    const next = await pool.acquire();
    expect(connector.connection(1).probes).toBe(1);
    next.release();
  });

  it("is skipped where validateOnAcquire is false", async () => {
    const { pool, connector } = await quietPool(60_000, { validateOnAcquire: false });
    const lease = pool.tryAcquire();
    expect([lease?.connectionId, connector.connection(1).probes]).toEqual([1, 0]);
    lease?.release();
  });

  it("makes tryAcquire skip a connection that would have to be probed", async () => {
    const { pool } = await quietPool(501);
    expect(pool.tryAcquire()).toBeUndefined();
  });

  it("counts answers and notifications as signs of life", async () => {
    const { pool, connector, clock } = await quietPool(400);
    await pool.request("ping");
    await clock.advance(400);
    connector.connection(1).notify({ method: "notifications/message" });
    await clock.advance(400);
    expect(pool.tryAcquire()?.release()).toBeUndefined();
    expect(connector.connection(1).probes).toBe(0);
    connector.onRequest.next(judged("answered", "no such method", { cause: new Error("no such method") }));
    await expect(pool.request("x")).rejects.toThrow("no such method");
    await clock.advance(400);
    (await pool.acquire()).release();
    expect(connector.connection(1).probes).toBe(0);
  });

  it("leaves a shared connection alone while something is on it", async () => {
    const { pool, connector, clock } = scriptedPool();
    const lease = await pool.acquire();
    await clock.advance(60_000);
    await pool.request("ping");
    expect(connector.connection(1).probes).toBe(0);
    lease.release();
  });

  it("closes a connection whose probe fails, and its caller keeps its place and gets another one", async () => {
    const { pool, connector, clock, recorder } = await quietPool(501, { maxConnections: 2 }, 2);
    connector.onProbe.next(fail(new Error("no answer")));
    const outcomes = Array.from({ length: 2 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    expect(outcomes.map(({ state }) => state)).toEqual(["resolved", "resolved"]);
    expect(outcomes.map(({ value }) => value?.connectionId)).toEqual([1, 3]);
    const [closed] = recorder.of("connection-closed");
    expect(closed).toMatchObject({ connectionId: 2, reason: "probe-failed" });
    expect(closed?.cause).toBeInstanceOf(McpHealthCheckError);
    expect(closed?.cause).toMatchObject({ code: "HEALTH_CHECK_FAILED", cause: new Error("no answer") });
    for (const { value } of outcomes) value?.release();
  });

  it.each([
    ["throws", throwing(new Error("broken")), 0],
    ["does not end within 5 s", hang(), 5_000],
  ])("takes a probe for failed that %s", async (_how, step, waitMs) => {
    const { pool, connector, clock } = await quietPool(501);
    connector.onProbe.next(step);
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(waitMs);
    expect(connector.connection(1).closes).toEqual(["probe-failed"]);
    expect(waiting.value?.connectionId).toBe(2);
    waiting.value?.release();
  });

  it("does not spin when all connections fail their probes", async () => {
    const { pool, connector, clock } = await quietPool(20_000, { maxConnections: 5 }, 5);
    connector.onProbe.always(fail(new Error("no answer")));
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    expect(connector.connects.length).toBeLessThanOrEqual(6);
    waiting.value?.release();
  });

  it("probes no more connections than callers need", async () => {
    const { pool, connector, clock } = await quietPool(501, {}, 5);
    connector.onProbe.always(manual());
    const outcomes = Array.from({ length: 2 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    expect(connector.pendingOf("probe")).toHaveLength(2);
    expect(connector.connects).toHaveLength(5);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    for (const { value } of outcomes) value?.release();
  });

  it("serves from a connection that becomes free while another one is probed", async () => {
    const { pool, connector, clock } = await quietPool(501, {}, 2);
    connector.onProbe.next(manual());
    const [first, second] = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.settle();
    expect([first.state, second.state]).toEqual(["resolved", "pending"]);
    first.value?.release();
    await clock.settle();
    expect(second.state).toBe("resolved");
    connector.pending[0]?.resolve();
    second.value?.release();
  });

  it("survives a connection that dies while it is probed", async () => {
    const { pool, connector, clock } = await quietPool(501);
    connector.onProbe.next(manual());
    const waiting = outcomeOf(pool.acquire());
    await clock.settle();
    connector.connection(1).die();
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([waiting.state, waiting.value?.connectionId]).toEqual(["resolved", 2]);
    waiting.value?.release();
  });
});
