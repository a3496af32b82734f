import { describe, expect, it } from "vitest";
import { CIRCUIT_BREAKER, type PoolPlugin } from "../src/index.ts";
import { ok, untilAborted } from "../src/testing/index.ts";
import { type ManagerSetup, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "echo" };

describe("an identity that a function supplies", () => {
  it("has the connections of its value, and is asked for once per call", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    let asked = 0;
    const identity = async () => (++asked === 1 ? "one" : "two");
    await manager.callTool("a", CALL, { identity });
    await manager.use("a", () => undefined, { identity });
    const lease = await manager.acquire("a", { identity: () => "one" });
    lease.release();
    expect(asked).toBe(2);
    expect(connector.connects.map((each) => each.identity)).toEqual(["one", "two"]);
  });

  it("ends with its caller: by its signal, its time, or the function's own failure; nothing is opened", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    const hanging = () => new Promise<string>(() => {});
    const controller = new AbortController();
    const aborted = outcomeOf(manager.callTool("a", CALL, { identity: hanging, signal: controller.signal }));
    const late = outcomeOf(manager.callTool("a", CALL, { identity: hanging, timeoutMs: 50 }));
    const defaulted = outcomeOf(manager.acquire("a", { identity: hanging }));
    controller.abort(new Error("enough"));
    await clock.advance(50);
    expect(aborted.error).toMatchObject({ message: "enough" });
    expect(late.error).toMatchObject({ code: "TIMEOUT", phase: "request", outcome: "not-sent" });
    expect(defaulted.state).toBe("pending");
    await clock.advance(60_000);
    expect(defaulted.error).toMatchObject({ code: "TIMEOUT" });
    const failing = manager.callTool("a", CALL, {
      identity: () => {
        throw new Error("no session");
      },
    });
    await expect(failing).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      message: expect.stringContaining("no session"),
      issues: [{ path: "identity" }],
    });
    expect(connector.connects).toEqual([]);
  });
});

describe("headers that a function supplies", () => {
  it("reach the request, and fail it unsent when the function fails", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {} } });
    await manager.callTool("a", CALL, { headers: async () => ({ "x-token": "1" }) });
    await manager.callTool("a", CALL, { headers: { "x-token": "2" } });
    const failing = manager.callTool("a", CALL, { headers: () => Promise.reject(new Error("no token")) });
    await expect(failing).rejects.toMatchObject({ code: "VALIDATION_FAILED", issues: [{ path: "headers" }] });
    const wrong = manager.callTool("a", CALL, { headers: async () => ({ secret: 7 }) as never });
    await expect(wrong).rejects.toMatchObject({ code: "VALIDATION_FAILED", issues: [{ path: "headers" }] });
    expect(connector.requests.map(({ options }) => options.headers)).toEqual([{ "x-token": "1" }, { "x-token": "2" }]);
  });

  it("take their time from that of the call", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    const headers = () => new Promise<Record<string, string>>((resolve) => void clock.setTimer(() => resolve({}), 40));
    connector.onRequest.always(untilAborted());
    const call = outcomeOf(manager.callTool("a", CALL, { headers, timeoutMs: 100 }));
    await clock.advance(99);
    expect(connector.requests).toHaveLength(1);
    expect(call.state).toBe("pending");
    await clock.advance(1);
    expect(call.error).toMatchObject({ code: "TIMEOUT" });
  });
});

describe("the time for a call", () => {
  it("is one, for the function that supplies the identity and for the call itself", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    connector.onConnect.always(untilAborted());
    const identity = () => new Promise<string>((resolve) => void clock.setTimer(() => resolve("me"), 60));
    const call = outcomeOf(manager.callTool("a", CALL, { identity, timeoutMs: 100 }));
    const lease = outcomeOf(manager.acquire("a", { identity, timeoutMs: 100 }));
    await clock.advance(99);
    expect([call.state, lease.state]).toEqual(["pending", "pending"]);
    await clock.advance(1);
    expect([call.error, lease.error]).toMatchObject([{ code: "TIMEOUT" }, { code: "TIMEOUT" }]);
  });

  it.each<[string, ManagerSetup["servers"][string]]>([
    ["the pool's own", { pool: { requestTimeoutMs: 100, minConnections: 0 } }],
    ["that of the tool", { tools: { echo: { timeoutMs: 100 } } }],
  ])("begins when the caller calls, also where it is %s", async (_what, server) => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: server } });
    connector.onRequest.always(untilAborted());
    const identity = () => new Promise<string>((resolve) => void clock.setTimer(() => resolve("me"), 60));
    const headers = () => new Promise<Record<string, string>>((resolve) => void clock.setTimer(() => resolve({}), 20));
    const call = outcomeOf(manager.callTool("a", CALL, { identity, headers }));
    const never = outcomeOf(manager.callTool("a", CALL, { identity: () => new Promise<string>(() => {}) }));
    await clock.advance(99);
    expect([call.state, never.state]).toEqual(["pending", "pending"]);
    expect(connector.requests).toHaveLength(1);
    await clock.advance(1);
    expect([call.error, never.error]).toMatchObject([{ code: "TIMEOUT" }, { code: "TIMEOUT" }]);
  });

  it("begins when the caller calls for lists, too, whatever the number of their pages", async () => {
    const { manager, connector, clock } = scriptedManager({
      servers: { a: { pool: { requestTimeoutMs: 100, minConnections: 0 } } },
    });
    const identity = () => new Promise<string>((resolve) => void clock.setTimer(() => resolve("me"), 60));
    connector.onRequest.next(ok({ resources: [], nextCursor: "2" }));
    connector.onRequest.always(untilAborted());
    const resources = outcomeOf(manager.listResources("a", { identity }));
    const tools = outcomeOf(manager.listTools("a", { identity }));
    await clock.advance(99);
    expect([resources.state, tools.state]).toEqual(["pending", "pending"]);
    expect(connector.requests.map(({ method }) => method).sort()).toEqual([
      "resources/list",
      "resources/list",
      "tools/list",
    ]);
    await clock.advance(1);
    expect([resources.error, tools.error]).toMatchObject([{ code: "TIMEOUT" }, { code: "TIMEOUT" }]);
  });

  it("stretches from the call on, by the whole of it, and no further than it may", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: {} } });
    connector.onRequest.always(untilAborted());
    const identity = () => new Promise<string>((resolve) => void clock.setTimer(() => resolve("me"), 60));
    const options = { identity, timeoutMs: 100, maxTotalTimeoutMs: 150, resetTimeoutOnProgress: true };
    const call = outcomeOf(manager.callTool("a", CALL, options));
    await clock.advance(90);
    connector.requests[0]?.options.onProgress?.({ progress: 1 });
    await clock.advance(59);
    expect(call.state).toBe("pending");
    await clock.advance(1);
    expect(call.error).toMatchObject({ code: "TIMEOUT" });
  });
});

describe("the bound on identities", () => {
  it("closes the pool that was unused for longest, and spares those with something to do", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { a: { maxIdentities: 3 } } });
    const held = await manager.acquire("a", { identity: "held" });
    for (const identity of ["one", "two", "one"]) {
      await clock.advance(2_000);
      await manager.callTool("a", CALL, { identity });
    }
    await manager.callTool("a", CALL, { identity: "three" });
    expect(manager.poolsOf("a").map(({ identity }) => identity)).toEqual([undefined, "held", "one", "three"]);
    await clock.advance(0);
    expect(connector.live).toHaveLength(3);
    held.release();
  });

  it("spares a pool that is called all the time, however short the pauses between its calls", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: { maxIdentities: 2 } } });
    const callForSeconds = async (seconds: number) => {
      for (let half = 0; half < 2 * seconds; half++) {
        await manager.callTool("a", CALL, { identity: "busy" });
        await clock.advance(500);
      }
    };
    await callForSeconds(2);
    await manager.callTool("a", CALL, { identity: "once" });
    await callForSeconds(5);
    await manager.callTool("a", CALL, { identity: "new" });
    expect(manager.poolsOf("a").map(({ identity }) => identity)).toEqual([undefined, "busy", "new"]);
  });

  it("refuses a call where all are busy, and serves it when one has ended", async () => {
    const { manager } = scriptedManager({ servers: { a: { maxIdentities: 1 } } });
    const held = await manager.acquire("a", { identity: "held" });
    const refused = manager.callTool("a", CALL, { identity: "other" });
    await expect(refused).rejects.toMatchObject({ code: "POOL_EXHAUSTED", serverName: "a" });
    await manager.callTool("a", CALL);
    held.release();
    await manager.callTool("a", CALL, { identity: "other" });
  });

  it("spares a pool whose call still waits for its headers", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: { maxIdentities: 1 } } });
    let supply: (headers: Record<string, string>) => void = () => {};
    const headers = () => new Promise<Record<string, string>>((resolve) => (supply = resolve));
    const call = outcomeOf(manager.callTool("a", CALL, { identity: "waiting", headers }));
    await expect(manager.callTool("a", CALL, { identity: "other" })).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    supply({ authorization: "Bearer token" });
    await clock.settle();
    expect(call.state).toBe("resolved");
    await manager.callTool("a", CALL, { identity: "other" });
  });

  it("spares a pool whose circuit is held or open, as long as there is another one", async () => {
    const barred = new Set(["held", "open"]);
    const breaker: PoolPlugin = {
      name: CIRCUIT_BREAKER,
      install: ({ identity = "" }) => {
        const getStats = () => ({ forced: identity === "held", retryAfterMs: barred.has(identity) ? 100 : undefined });
        return { handle: { getStats } };
      },
    };
    const { manager } = scriptedManager({ servers: { a: { maxIdentities: 3 } }, plugins: [breaker] });
    for (const identity of ["held", "open", "plain", "new", "newer"]) await manager.callTool("a", CALL, { identity });
    expect(manager.poolsOf("a").map(({ identity }) => identity)).toEqual([undefined, "held", "open", "newer"]);
  });

  it("must be a whole number of at least 1", () => {
    expect(() => scriptedManager({ servers: { a: { maxIdentities: 0 } } })).toThrow(/maxIdentities/);
  });
});

describe("a connection that tells of itself", () => {
  it("has its subscriptions restored and its list of tools asked for again after a renewed session", async () => {
    const { manager, connector, recorder } = scriptedManager({ servers: { a: {} } });
    await manager.subscribeResource("a", { uri: "test://a" });
    await manager.listTools("a");
    const [connection] = connector.connections;
    connection?.tell({ type: "session-renewed" });
    connection?.tell({ type: "stderr-written", lines: ["hello"] });
    await expect
      .poll(() => connector.requests.filter(({ method }) => method === "resources/subscribe"))
      .toHaveLength(2);
    expect(recorder.of("session-renewed")).toMatchObject([{ serverName: "a", connectionId: 1 }]);
    expect(recorder.of("stderr-written")).toMatchObject([{ connectionId: 1, lines: ["hello"] }]);
    expect(connector.connects).toHaveLength(1);
  });
});
