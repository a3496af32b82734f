import { describe, expect, it } from "vitest";
import { manual, ok } from "../src/testing/index.ts";
import { acquireMany, exclusive, openServers, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

describe("an eviction for the global cap", () => {
  it("takes the idle connection of another pool for a caller who waits", async () => {
    const scripted = scriptedManager({ max: 2, servers: { a: exclusive(), b: exclusive() } });
    const { manager, connector } = scripted;
    for (const lease of await acquireMany(manager, "a", 2)) lease.release();
    expect(openServers(scripted)).toEqual(["a", "a"]);
    const lease = await manager.acquire("b");
    expect(openServers(scripted)).toEqual(["a", "b"]);
    expect(connector.connection(1).closes).toEqual(["evicted"]);
    expect(connector.peak).toBe(2);
    lease.release();
  });

  it("takes the connection that was idle for the longest, of the pool with the lowest priority", async () => {
    const scripted = scriptedManager({
      max: 4,
      servers: { low: { ...exclusive(), priority: 1 }, high: { ...exclusive(), priority: 2 }, other: exclusive() },
    });
    const { manager, connector, clock } = scripted;
    for (const name of ["high", "low"]) {
      const [first, second] = await acquireMany(manager, name, 2);
      second?.release();
      await clock.advance(10);
      first?.release();
    }
    (await manager.acquire("other")).release();
    expect(connector.connections.filter(({ closes }) => closes.length > 0).map(({ id }) => id)).toEqual([4]);
  });

  it("takes a connection at once when it becomes idle while a caller of another pool waits", async () => {
    const { manager, connector, clock } = scriptedManager({ max: 1, servers: { a: exclusive(), b: exclusive() } });
    const held = await manager.acquire("a");
    const waiting = outcomeOf(manager.acquire("b"));
    await clock.advance(2_000);
    expect(waiting.state).toBe("pending");
    held.release();
    await clock.advance(1_000);
    expect(waiting.state).toBe("resolved");
    expect(connector.connection(1).closes).toEqual(["evicted"]);
    waiting.value?.release();
  });

  it("evicts no more connections than are waited for", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 4,
      servers: { idle: exclusive(), one: exclusive(), two: exclusive() },
    });
    for (const lease of await acquireMany(manager, "idle", 4)) lease.release();
    connector.onClose.always(manual());
    const waiting = [outcomeOf(manager.acquire("one")), outcomeOf(manager.acquire("two"))];
    // More callers of a pool that waits already do not hurry it.
    waiting.push(outcomeOf(manager.acquire("one")), outcomeOf(manager.acquire("one")));
    await clock.advance(2_900);
    expect(connector.pendingOf("close")).toHaveLength(2);
    connector.onClose.always(ok());
    for (const call of connector.pendingOf("close")) call.resolve();
    await clock.settle();
    expect(waiting.filter(({ state }) => state === "resolved").length).toBeGreaterThanOrEqual(3);
    for (const { value } of waiting) value?.discard();
    await clock.settle();
    for (const { value } of waiting) value?.discard();
  });

  it("counts an eviction under way as room, whatever else has closed meanwhile", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 4,
      servers: { idle: exclusive(), holder: exclusive(), one: exclusive(), two: exclusive() },
    });
    for (const lease of await acquireMany(manager, "idle", 3)) lease.release();
    const held = await manager.acquire("holder");
    connector.onClose.next(manual());
    const waiting = [outcomeOf(manager.acquire("one"))];
    held.discard();
    await clock.settle();
    waiting.push(outcomeOf(manager.acquire("two")));
    await clock.advance(1_000);
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "pending"]);
    expect(manager.pool("idle").stats().connections).toMatchObject({ ready: 2, closing: 1 });
    connector.pendingOf("close")[0]?.resolve();
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "resolved"]);
    for (const { value } of waiting) value?.release();
  });

  it("lets a surplus connection of the lowest priority drain when nothing is idle", async () => {
    const { manager, connector, clock, recorder } = scriptedManager({
      max: 4,
      servers: { low: exclusive(), high: { ...exclusive(), priority: 1 }, other: { ...exclusive(), priority: 1 } },
    });
    const low = await acquireMany(manager, "low", 2);
    const high = await acquireMany(manager, "high", 2);
    const waiting = outcomeOf(manager.acquire("other"));
    await clock.settle();
    expect(recorder.of("connection-retired").map(({ serverName }) => serverName)).toEqual(["low"]);
    expect(waiting.state).toBe("pending");
    for (const lease of low) lease.release();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    expect(connector.peak).toBe(4);
    for (const lease of high) lease.release();
    waiting.value?.release();
  });

  it("retires nothing below a pool's minimum, nor its last connection, at once", async () => {
    const { manager, clock, recorder } = scriptedManager({
      max: 3,
      servers: { minimum: exclusive({ minConnections: 2 }), single: exclusive(), other: exclusive() },
    });
    const held = [...(await acquireMany(manager, "minimum", 2)), await manager.acquire("single")];
    const waiting = outcomeOf(manager.acquire("other"));
    await clock.settle();
    expect(recorder.of("connection-retired")).toEqual([]);
    for (const lease of held) lease.release();
    await clock.advance(1_000);
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
  });

  it("evicts nothing for a minimum", async () => {
    const scripted = scriptedManager({
      max: 2,
      servers: { idle: exclusive(), minimum: exclusive({ minConnections: 2 }) },
    });
    const { manager, clock } = scripted;
    for (const lease of await acquireMany(manager, "idle", 2)) lease.release();
    await manager.warmUp("minimum");
    await clock.advance(5_000);
    expect(openServers(scripted)).toEqual(["idle", "idle"]);
  });

  it("evicts nothing for a caller who has gone", async () => {
    const scripted = scriptedManager({ max: 1, servers: { holder: exclusive(), gone: exclusive() } });
    const { manager, clock } = scripted;
    const held = await manager.acquire("holder");
    const controller = new AbortController();
    const gone = outcomeOf(manager.acquire("gone", { signal: controller.signal }));
    await clock.settle();
    controller.abort(new Error("enough"));
    held.release();
    await clock.advance(5_000);
    expect(gone.state).toBe("rejected");
    expect(openServers(scripted)).toEqual(["holder"]);
  });

  it("evicts only what the free units do not cover", async () => {
    const scripted = scriptedManager({ max: 2, servers: { a: exclusive(), b: exclusive(), c: exclusive() } });
    const { manager, clock, connector, options } = scripted;
    const [one, two] = await acquireMany(manager, "a", 2);
    const waiting = ["b", "c", "b", "c"].map((name) => outcomeOf(manager.acquire(name)));
    await clock.settle();
    // One surplus connection drains; the rest is served by the larger cap alone.
    await manager.reload(options({ max: 6, servers: { a: exclusive(), b: exclusive(), c: exclusive() } }));
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(Array(4).fill("resolved"));
    one?.release();
    two?.release();
    await clock.advance(3_000);
    expect(connector.connections.filter(({ closes }) => closes.includes("evicted")).length).toBeLessThanOrEqual(1);
    for (const { value } of waiting) value?.release();
  });
});
