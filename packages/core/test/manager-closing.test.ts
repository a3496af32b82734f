import { describe, expect, it } from "vitest";
import { McpConnectionManager } from "../src/index.ts";
import { FakeClock, manual, ok, ScriptedConnector } from "../src/testing/index.ts";
import { exclusive, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "echo" };

describe("closing a manager", () => {
  it("rejects those who wait, lets work under way end, and closes every connection of every pool", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: exclusive({ maxConnections: 1 }), b: {} } });
    const lease = await manager.acquire("a");
    const waiting = outcomeOf(manager.acquire("a"));
    connector.onRequest.next(manual());
    const call = outcomeOf(manager.callTool("b", CALL, { identity: "me" }));
    await clock.settle();
    const closing = outcomeOf(manager.close());
    await clock.settle();
    expect(waiting).toMatchObject({ state: "rejected", error: { code: "POOL_CLOSED" } });
    await expect(manager.acquire("a")).rejects.toMatchObject({ code: "POOL_CLOSED" });
    await expect(manager.acquire("nowhere")).rejects.toMatchObject({ code: "POOL_CLOSED" });
    connector.pendingOf("request")[0]?.resolve({ content: [] });
    lease.release();
    await clock.settle();
    expect([call.state, closing.state]).toEqual(["resolved", "resolved"]);
    expect(connector.live).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  it("waits for work under way no longer than it is told to", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    await manager.acquire("a");
    const closing = outcomeOf(manager.close({ drainTimeoutMs: 300 }));
    await clock.advance(299);
    expect(closing.state).toBe("pending");
    await clock.advance(1);
    expect(closing.state).toBe("resolved");
    expect(connector.live).toEqual([]);
  });

  it("is what `await using` does at the end", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    await manager[Symbol.asyncDispose]();
    expect(connector.live).toEqual([]);
    await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "POOL_CLOSED" });
  });

  it("may be asked for again", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    expect(manager.close()).toBe(manager.close());
    await manager.close();
    expect(connector.connection(1).closes).toEqual(["pool-closed"]);
  });

  it("keeps no process alive by its own housekeeping", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    expect(clock.pending.filter(({ isRef }) => isRef)).toEqual([]);
  });

  it("needs one timer for the deadlines of all its pools", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {}, b: {} } });
    connector.onRequest.always(manual());
    const calls = ["a", "b"].flatMap((name) =>
      ["one", "two"].map((identity) => outcomeOf(manager.callTool(name, CALL, { identity }))),
    );
    await clock.settle();
    expect(clock.pending.filter(({ isRef }) => isRef)).toHaveLength(1);
    for (const call of connector.pendingOf("request")) call.resolve({ content: [] });
    await clock.settle();
    expect(calls.map(({ state }) => state)).toEqual(Array(4).fill("resolved"));
  });

  it("ends in bounded time even if a connection never closes", async () => {
    const clock = new FakeClock();
    const connector = new ScriptedConnector({ clock });
    const manager = new McpConnectionManager({ clock, servers: { a: { connector, pool: { minConnections: 0 } } } });
    connector.onClose.next(manual());
    await manager.callTool("a", CALL);
    const closing = outcomeOf(manager.close());
    await clock.advance(10_000);
    expect(closing.state).toBe("resolved");
    expect(manager.stats().totalConnections).toBe(0);
    expect(clock.pending).toEqual([]);
    connector.onClose.always(ok());
  });
});
