import { describe, expect, it } from "vitest";
import type { McpConnectionManager, RequestOptions } from "../src/index.ts";
import { type ManagerSetup, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CALL = { name: "echo" };

const fails = () => Promise.reject(new Error("no session"));

type Call = (manager: McpConnectionManager) => Promise<unknown>;

const callWith = (options: RequestOptions): Call => {
  return (manager) => manager.callTool("a", CALL, options);
};

const afterRelease: Call = async (manager) => {
  const lease = await manager.acquire("a");
  lease.release();
  return lease.client.callTool(CALL);
};

const onClosedConnection: Call = async (manager) => {
  const lease = await manager.acquire("a");
  await lease.client.callTool(CALL);
  lease.discard();
  return lease.client.callTool(CALL);
};

describe("a call that fails before it reaches a connection", () => {
  it.each<[string, Call, ManagerSetup["servers"][string]]>([
    ["whose identity cannot be found out", callWith({ identity: fails }), {}],
    ["whose identity is none", callWith({ identity: async () => 7 as unknown as string }), {}],
    ["without an identity that is required", callWith({}), { identityRequired: true }],
    ["whose headers cannot be found out", callWith({ headers: fails }), {}],
    ["whose headers are none", callWith({ headers: async () => ({ secret: 7 }) as never }), {}],
    ["with a time that is none", callWith({ timeoutMs: -1 }), {}],
    ["with a time that is none, and an identity to be found out", callWith({ timeoutMs: -1, identity: fails }), {}],
    [
      "with a handler that the server cannot ask",
      callWith({ handlers: { roots: () => [] } }),
      { pool: { sharing: "shared", minConnections: 0 } },
    ],
    ["on a lease that was released", afterRelease, {}],
    ["on a lease that was discarded", onClosedConnection, {}],
  ])("is told of and counted like any other failure: %s", async (_what, call, server) => {
    const { manager, recorder } = scriptedManager({ servers: { a: server } });
    const error: unknown = await call(manager).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "VALIDATION_FAILED" });
    const settled = recorder.of("request-settled").filter((event) => event.error !== undefined);
    expect(settled).toMatchObject([{ method: "tools/call", target: "echo", isAborted: false, serverName: "a" }]);
    expect(settled[0]?.error).toBe(error);
    expect(recorder.of("acquire-failed")).toMatchObject([{ kind: "request", error }]);
    expect(manager.getPoolMetrics("a").errors).toMatchObject({ validation: 1, connection: 0, timeout: 0 });
  });

  it("is told of when its parameters are wrong, whatever they are", async () => {
    const { manager, recorder } = scriptedManager({ servers: { a: {} } });
    await expect(manager.callTool("a", undefined as never)).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await expect(manager.readResource("a", { uri: "" })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await expect(manager.listTools("a", { timeoutMs: -1 })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await manager.use("a", async (client) => {
      await expect(client.getPrompt({ name: "" })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    });
    expect(recorder.of("request-settled").map(({ method, target }) => [method, target])).toEqual([
      ["tools/call", undefined],
      ["resources/read", undefined],
      ["tools/list", undefined],
      ["prompts/get", ""],
    ]);
    expect(manager.getPoolMetrics("a").errors.validation).toBe(4);
  });

  it("is told of with the time that it took, when its identity or its headers are late, or it is given up", async () => {
    const { manager, recorder, clock } = scriptedManager({ servers: { a: {} } });
    const hanging = () => new Promise<never>(() => {});
    const controller = new AbortController();
    const calls = [
      outcomeOf(manager.callTool("a", CALL, { identity: hanging, timeoutMs: 40 })),
      outcomeOf(manager.callTool("a", CALL, { headers: hanging, timeoutMs: 50 })),
      outcomeOf(manager.callTool("a", CALL, { identity: hanging, signal: controller.signal })),
    ];
    await clock.advance(60);
    controller.abort(new Error("enough"));
    await clock.settle();
    expect(calls.map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected"]);
    const settled = recorder.of("request-settled");
    expect(settled.map(({ durationMs, isAborted }) => [durationMs, isAborted])).toEqual([
      [40, false],
      [50, false],
      [60, true],
    ]);
    expect(manager.getPoolMetrics("a").errors).toMatchObject({ timeout: 2, validation: 0 });
  });

  it("counts as an acquire when a lease was wanted", async () => {
    const { manager, recorder } = scriptedManager({ servers: { a: {} } });
    await expect(manager.acquire("a", { identity: fails })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    expect(recorder.of("acquire-failed")).toMatchObject([{ kind: "acquire", identity: undefined, poolName: "a" }]);
    expect(recorder.of("request-settled")).toEqual([]);
  });

  it("is told of when too many identities are busy", async () => {
    const { manager, recorder } = scriptedManager({ servers: { a: { maxIdentities: 1 } } });
    const held = await manager.acquire("a", { identity: "held" });
    await expect(manager.callTool("a", CALL, { identity: "b" })).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    held.release();
    expect(recorder.of("request-settled")).toMatchObject([{ method: "tools/call", poolName: "a" }]);
    expect(manager.getPoolMetrics("a").errors.poolExhausted).toBe(1);
  });
});
