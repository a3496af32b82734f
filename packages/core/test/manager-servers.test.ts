import { describe, expect, it } from "vitest";
import { EventRecorder, fail, manual } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "echo" };

describe("adding a server", () => {
  it("makes it available at once", async () => {
    const { manager, connector } = scriptedManager({ max: 1, servers: {} });
    manager.addServer("a", { connector, tags: ["new"], pool: { minConnections: 0 } });
    await manager.callTool("a", CALL);
    expect(manager.servers({ tag: "new" })).toEqual(["a"]);
    expect(manager.stats().totalConnections).toBe(1);
  });

  it("fails for a name that is taken, and for bad options", () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    const add = (name: string, definition: object) => () => manager.addServer(name, { connector, ...definition });
    expect(add("a", {})).toThrow(
      expect.objectContaining({ issues: [{ path: "servers.a", message: "is there already" }] }),
    );
    expect(add("b", { connector: {} })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path: "servers.b.connector" })] }),
    );
    expect(add("b", { pool: { maxConnections: 0 } })).toThrow(/servers\.b\.pool\.maxConnections/);
    expect(manager.servers()).toEqual(["a"]);
  });

  it("fails after close", async () => {
    const { manager, connector } = scriptedManager({ servers: {} });
    await manager.close();
    expect(() => manager.addServer("a", { connector })).toThrow(expect.objectContaining({ code: "POOL_CLOSED" }));
    await expect(manager.reload({ servers: {} })).rejects.toMatchObject({ code: "POOL_CLOSED" });
  });
});

describe("removing a server", () => {
  it("takes no more calls, lets work under way end, and closes every pool of it", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {}, b: {} } });
    connector.onRequest.next(manual());
    const call = manager.callTool("a", CALL);
    const lease = await manager.acquire("a", { identity: "me" });
    await clock.settle();
    const removing = outcomeOf(manager.removeServer("a"));
    await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ knownServers: ["b"] });
    expect(manager.servers()).toEqual(["b"]);
    await clock.advance(1_000);
    expect(removing.state).toBe("pending");
    connector.pendingOf("request")[0]?.resolve({ content: [] });
    expect(await call).toEqual({ content: [] });
    lease.release();
    await clock.settle();
    expect(removing.state).toBe("resolved");
    expect(connector.live).toEqual([]);
  });

  it("waits no longer than it is told to", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    await manager.acquire("a");
    const removing = outcomeOf(manager.removeServer("a", { drainTimeoutMs: 500 }));
    await clock.advance(499);
    expect(removing.state).toBe("pending");
    await clock.advance(1);
    expect(removing.state).toBe("resolved");
    expect(connector.live).toEqual([]);
  });

  it("fails for a server that is not there", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    await expect(manager.removeServer("b")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });

  it("is waited for by a close that comes meanwhile", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    await manager.acquire("a");
    const removing = outcomeOf(manager.removeServer("a", { drainTimeoutMs: 5_000 }));
    const closing = outcomeOf(manager.close({ drainTimeoutMs: 0 }));
    await clock.advance(4_999);
    expect([closing.state, connector.live.length]).toEqual(["pending", 1]);
    await clock.advance(1);
    expect([removing.state, closing.state, connector.live.length]).toEqual(["resolved", "resolved", 0]);
  });
});

describe("warming up", () => {
  it("opens the minimum of one server, or of all", async () => {
    const { manager, connector } = scriptedManager({ pool: { minConnections: 2 }, servers: { a: {}, b: {}, c: {} } });
    await manager.warmUp("b");
    expect(connector.connects.map(({ serverName }) => serverName)).toEqual(["b", "b"]);
    await manager.warmUp();
    expect(connector.connects.map(({ serverName }) => serverName).sort()).toEqual(["a", "a", "b", "b", "c", "c"]);
    await expect(manager.warmUp("nowhere")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });

  it("rejects when a connect fails, and after close", async () => {
    const { manager, connector } = scriptedManager({ pool: { minConnections: 1 }, servers: { a: {} } });
    connector.onConnect.next(fail(new Error("refused")));
    await expect(manager.warmUp()).rejects.toMatchObject({ code: "CONNECTION_FAILED", serverName: "a" });
    await manager.close();
    await expect(manager.warmUp()).rejects.toMatchObject({ code: "POOL_CLOSED" });
  });
});

describe("a manager's events", () => {
  it("are those of all pools, of pools made later too", async () => {
    const { manager, connector, recorder } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    manager.addServer("b", { connector, pool: { minConnections: 0 } });
    await manager.callTool("b", CALL);
    expect(recorder.of("connection-opened").map(({ serverName, identity }) => [serverName, identity])).toEqual([
      ["a", undefined],
      ["a", "me"],
      ["b", undefined],
    ]);
    await manager.removeServer("b");
    expect(recorder.of("pool-closed")).toMatchObject([{ serverName: "b" }]);
  });

  it("are only those of the types asked for, until the listener leaves", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    const heard: string[] = [];
    const unsubscribe = manager.subscribe((event) => heard.push(event.type), ["request-finished"]);
    await manager.callTool("a", CALL);
    await manager.callTool("a", CALL, { identity: "one" });
    expect(heard).toEqual(["request-finished", "request-finished"]);
    unsubscribe();
    unsubscribe();
    for (const identity of [undefined, "one", "two"]) await manager.callTool("a", CALL, { identity });
    expect(heard).toHaveLength(2);
  });

  it("reach everybody else when a listener throws, and hurt no call", async () => {
    const { manager } = scriptedManager({ servers: { a: {} } });
    const unsubscribe = manager.subscribe(() => {
      throw new Error("bad listener");
    });
    const later = new EventRecorder(manager);
    await manager.callTool("a", CALL);
    expect(later.types).toContain("connection-opened");
    expect(later.types).toContain("request-finished");
    expect(later.of("listener-failed")[0]).toMatchObject({
      error: expect.objectContaining({ message: "bad listener" }),
    });
    unsubscribe();
    later.stop();
  });
});
