import { describe, expect, it } from "vitest";
import { fail, manual, ok } from "../src/testing/index.ts";
import { exclusive, openServers, scriptedManager } from "./scripted-manager.ts";
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
});
