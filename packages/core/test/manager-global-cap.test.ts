import { describe, expect, it } from "vitest";
import { fail, manual, ok } from "../src/testing/index.ts";
import { acquireMany, exclusive, openServers, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

describe("the global cap", () => {
  it("is 100 connections unless told otherwise", () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    expect(manager.stats()).toMatchObject({ totalConnections: 0, maxTotalConnections: 100 });
  });

  it("bounds the connections of all pools together, those being opened and closed included", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 3,
      servers: { a: exclusive(), b: exclusive(), c: exclusive() },
    });
    connector.onConnect.always(manual());
    connector.onClose.always(manual());
    const outcomes = ["a", "b", "c", "a", "b", "c"].map((name) => outcomeOf(manager.acquire(name)));
    await clock.settle();
    expect(connector.pendingOf("connect")).toHaveLength(3);
    expect(manager.stats().totalConnections).toBe(3);
    for (let turn = 0; turn < 12; turn++) {
      for (const call of connector.pending.slice(0, 1)) call.resolve();
      await clock.settle();
      for (const { value } of outcomes) value?.discard();
      await clock.advance(500);
    }
    expect(outcomes.map(({ state }) => state)).toEqual(Array(6).fill("resolved"));
    expect(connector.peak).toBe(3);
  });

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

  it("has a timer only while somebody waits, and one that keeps no process alive", async () => {
    const { manager, clock } = scriptedManager({ max: 1, servers: { a: exclusive(), b: exclusive() } });
    const held = await manager.acquire("a");
    await clock.settle();
    const dueAt = () => clock.pending.map((timer) => timer.dueAt - clock.now());
    const isRecheck = (ms: number) => ms > 0 && ms < 1_000;
    expect(dueAt().filter(isRecheck)).toEqual([]);
    const controller = new AbortController();
    const waiting = outcomeOf(manager.acquire("b", { signal: controller.signal }));
    await clock.settle();
    expect(dueAt().filter(isRecheck)).toHaveLength(1);
    expect(
      clock.pending.filter(({ isRef }) => isRef),
      "the caller's own deadline",
    ).toHaveLength(1);
    controller.abort(new Error("enough"));
    await clock.settle();
    expect(waiting.state).toBe("rejected");
    expect(dueAt().filter(isRecheck)).toEqual([]);
    held.release();
  });

  it("serves waiting pools by priority, and by arrival among equals", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 1,
      servers: {
        holder: exclusive(),
        first: exclusive(),
        second: exclusive(),
        urgent: { ...exclusive(), priority: 5 },
      },
    });
    const held = await manager.acquire("holder");
    const order: string[] = [];
    const serve = async (name: string) => {
      const lease = await manager.acquire(name);
      order.push(name);
      lease.discard();
    };
    const served = [serve("first"), serve("second"), serve("urgent")];
    await clock.settle();
    held.discard();
    await clock.advance(5);
    await Promise.all(served);
    expect(order).toEqual(["urgent", "first", "second"]);
    expect(connector.peak).toBe(1);
  });

  it("takes priorities from the latest reload", async () => {
    const { manager, clock, options } = scriptedManager({
      max: 1,
      servers: { holder: exclusive(), was: { ...exclusive(), priority: 5 }, is: exclusive() },
    });
    const held = await manager.acquire("holder");
    await manager.reload(
      options({ max: 1, servers: { holder: exclusive(), was: exclusive(), is: { ...exclusive(), priority: 5 } } }),
    );
    const waiting = [outcomeOf(manager.acquire("was")), outcomeOf(manager.acquire("is"))];
    await clock.settle();
    held.discard();
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["pending", "resolved"]);
    waiting[1]?.value?.discard();
    await clock.settle();
    waiting[0]?.value?.release();
  });

  it("counts a second of waiting as one step of priority", async () => {
    const { manager, clock } = scriptedManager({
      max: 1,
      servers: { holder: exclusive(), patient: exclusive(), urgent: { ...exclusive(), priority: 2 } },
    });
    const held = await manager.acquire("holder");
    const order: string[] = [];
    const serve = async (name: string) => {
      const lease = await manager.acquire(name);
      order.push(name);
      lease.discard();
    };
    const patient = [serve("patient")];
    await clock.advance(2_100);
    const urgent = serve("urgent");
    // One more caller of a pool that waits already does not put it back in the line.
    patient.push(serve("patient"));
    held.discard();
    await clock.advance(5);
    await Promise.all([...patient, urgent]);
    expect(order[0]).toBe("patient");
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

  it("keeps to the back-off of a server whose turn it is, and hands the unit on", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 1,
      servers: { holder: exclusive(), broken: { ...exclusive(), priority: 5 }, fine: exclusive() },
    });
    const held = await manager.acquire("holder");
    connector.onConnect.always(({ serverName }) => (serverName === "broken" ? fail(new Error("refused")) : ok()));
    const broken = Array.from({ length: 6 }, (_, index) =>
      outcomeOf(manager.acquire("broken", index % 2 === 0 ? {} : { identity: "me" })),
    );
    const fine = outcomeOf(manager.acquire("fine"));
    await clock.settle();
    held.discard();
    await clock.settle();
    const early = connector.connects.filter(({ serverName }) => serverName === "broken").length;
    expect(early, "at once, one failure is made up for; the next ones are spaced out").toBeLessThanOrEqual(2);
    expect(fine.state).toBe("resolved");
    fine.value?.discard();
    await clock.advance(9_000);
    expect(broken.map(({ state }) => state)).toEqual(Array(6).fill("rejected"));
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

  it("does not fill a minimum up while somebody waits", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 2,
      servers: { minimum: exclusive({ minConnections: 2 }), other: exclusive() },
    });
    await manager.warmUp("minimum");
    expect(manager.pool("minimum").stats().connections.total).toBe(2);
    connector.onConnect.always(manual());
    const waiting = [outcomeOf(manager.acquire("other")), outcomeOf(manager.acquire("other"))];
    await clock.settle();
    expect(
      connector.pendingOf("connect").map(({ connection }) => connector.connects[connection - 1]?.serverName),
    ).toEqual(["other", "other"]);
    connector.onConnect.always(ok());
    for (const call of connector.pendingOf("connect")) call.resolve();
    await clock.settle();
    for (const { value } of waiting) value?.discard();
    await clock.settle();
    expect(manager.pool("minimum").stats().connections.total).toBe(0);
    await manager.warmUp("minimum");
    expect(manager.pool("minimum").stats().connections.total).toBe(2);
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

  it("gets its units back from connects that fail, are given up, or come too late", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 2,
      pool: { connectionTimeoutMs: 1_000 },
      servers: { a: exclusive(), b: exclusive() },
    });
    connector.onConnect.next(fail(new Error("refused")), manual(), manual());
    const failed = outcomeOf(manager.acquire("a"));
    await clock.settle();
    expect(failed.state).toBe("rejected");
    expect(manager.stats().totalConnections).toBe(0);

    const controller = new AbortController();
    const late = outcomeOf(manager.acquire("a"));
    const givenUp = outcomeOf(manager.acquire("b", { signal: controller.signal }));
    await clock.settle();
    controller.abort(new Error("enough"));
    await clock.advance(1_000);
    expect([late.state, givenUp.state]).toEqual(["rejected", "rejected"]);
    expect(manager.stats().totalConnections).toBe(2);
    const waiting = outcomeOf(manager.acquire("b"));
    await clock.settle();
    expect(waiting.state).toBe("pending");
    for (const call of connector.pendingOf("connect")) call.resolve();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    expect(manager.stats().totalConnections).toBe(1);
    expect(connector.peak).toBe(2);
    waiting.value?.release();
  });

  it("hands a unit on that its pool needs no more", async () => {
    const { manager, clock } = scriptedManager({
      max: 1,
      servers: { holder: exclusive(), gone: { ...exclusive(), priority: 1 }, other: exclusive() },
    });
    const held = await manager.acquire("holder");
    const controller = new AbortController();
    const gone = outcomeOf(manager.acquire("gone", { signal: controller.signal }));
    const other = outcomeOf(manager.acquire("other"));
    await clock.settle();
    controller.abort(new Error("enough"));
    held.discard();
    await clock.settle();
    expect([gone.state, other.state]).toEqual(["rejected", "resolved"]);
    other.value?.release();
  });

  it("gets the units of a removed server back, and takes its pool out of the line", async () => {
    const { manager, clock } = scriptedManager({
      max: 1,
      servers: { a: exclusive(), b: { ...exclusive(), priority: 9 }, c: exclusive() },
    });
    const held = await manager.acquire("a");
    const removed = outcomeOf(manager.acquire("b"));
    const waiting = outcomeOf(manager.acquire("c"));
    await clock.settle();
    await manager.removeServer("b");
    expect(removed).toMatchObject({ state: "rejected", error: { code: "POOL_CLOSED" } });
    const removing = manager.removeServer("a");
    await clock.settle();
    expect(waiting.state).toBe("pending");
    held.release();
    await removing;
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
  });

  it("is raised and lowered by a reload", async () => {
    const scripted = scriptedManager({ max: 1, servers: { a: exclusive(), b: exclusive() } });
    const { manager, clock, options } = scripted;
    const a = await manager.acquire("a");
    const b = outcomeOf(manager.acquire("b"));
    await clock.settle();
    expect(b.state).toBe("pending");
    await manager.reload(options({ max: 3, servers: { a: exclusive(), b: exclusive() } }));
    await clock.settle();
    expect(b.state).toBe("resolved");
    b.value?.release();
    const more = await manager.acquire("a");
    more.release();
    await manager.reload(options({ max: 1, servers: { a: exclusive(), b: exclusive() } }));
    await clock.settle();
    expect(openServers(scripted)).toEqual(["a"]);
    expect(manager.stats()).toMatchObject({ totalConnections: 1, maxTotalConnections: 1 });
    a.release();
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
