import { describe, expect, it } from "vitest";
import type { McpConnectionManager } from "../src/index.ts";
import { hang, judged, ok } from "../src/testing/index.ts";
import { exclusive, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

const CONTENT = { content: [{ type: "text", text: "hi" }] };

/** Each call of a server's method: how it is made, what goes out, what comes back. */
const CALLS: readonly (readonly [
  name: string,
  call: (manager: McpConnectionManager, options?: { identity: string }) => Promise<unknown>,
  method: string,
  params: unknown,
  answer: Readonly<Record<string, unknown>>,
])[] = [
  [
    "callTool",
    (manager, options) => manager.callTool("files", { name: "echo", arguments: { a: 1 } }, options),
    "tools/call",
    { name: "echo", arguments: { a: 1 } },
    CONTENT,
  ],
  [
    "listTools",
    (manager, options) => manager.listTools("files", options),
    "tools/list",
    undefined,
    { tools: [{ name: "echo", inputSchema: { type: "object" } }] },
  ],
  [
    "listResources",
    (manager, options) => manager.listResources("files", options),
    "resources/list",
    undefined,
    { resources: [{ uri: "test://a", name: "a" }] },
  ],
  [
    "listResourceTemplates",
    (manager, options) => manager.listResourceTemplates("files", options),
    "resources/templates/list",
    undefined,
    { resourceTemplates: [{ uriTemplate: "test://{a}", name: "a" }] },
  ],
  [
    "readResource",
    (manager, options) => manager.readResource("files", { uri: "test://a" }, options),
    "resources/read",
    { uri: "test://a" },
    { contents: [{ uri: "test://a", text: "a" }] },
  ],
  [
    "listPrompts",
    (manager, options) => manager.listPrompts("files", options),
    "prompts/list",
    undefined,
    { prompts: [{ name: "greeting" }] },
  ],
  [
    "getPrompt",
    (manager, options) => manager.getPrompt("files", { name: "greeting", arguments: { who: "me" } }, options),
    "prompts/get",
    { name: "greeting", arguments: { who: "me" } },
    { messages: [{ role: "user", content: { type: "text", text: "hi" } }] },
  ],
  [
    "complete",
    (manager, options) =>
      manager.complete(
        "files",
        { ref: { type: "ref/prompt", name: "greeting" }, argument: { name: "who", value: "m" } },
        options,
      ),
    "completion/complete",
    { ref: { type: "ref/prompt", name: "greeting" }, argument: { name: "who", value: "m" } },
    { completion: { values: ["me"] } },
  ],
];

describe("a manager's calls", () => {
  it.each(CALLS)("%s sends one request to the named server and returns its answer", async (_name, call, ...rest) => {
    const [method, params, answer] = rest;
    const { manager, connector } = scriptedManager({ servers: { other: {}, files: {} } });
    connector.onRequest.always(ok(answer));
    expect(await call(manager)).toEqual(answer);
    expect(connector.requests).toMatchObject([{ method, ...(params === undefined ? {} : { params }) }]);
    expect(connector.connects).toMatchObject([{ serverName: "files", identity: undefined }]);
  });

  it.each(CALLS)("%s goes to the connections of its identity", async (_name, call, ...rest) => {
    const { manager, connector } = scriptedManager({ servers: { files: {} } });
    connector.onRequest.always(ok(rest[2]));
    await call(manager, { identity: "me" });
    expect(connector.connects).toMatchObject([{ serverName: "files", identity: "me" }]);
  });

  it.each(CALLS)("%s rejects for a server that is not there, and names those that are", async (_name, call) => {
    const { manager } = scriptedManager({ servers: { alpha: {}, beta: {} } });
    await expect(call(manager)).rejects.toMatchObject({
      name: "McpServerNotFoundError",
      code: "SERVER_NOT_FOUND",
      serverName: "files",
      knownServers: ["alpha", "beta"],
      message: 'unknown MCP server "files"; known: alpha, beta',
    });
  });

  it("rejects, and does not throw, for parameters that cannot be read", async () => {
    const { manager } = scriptedManager({ servers: { files: {} } });
    const unreadable = new Error("unreadable");
    const params = {
      get name(): string {
        throw unreadable;
      },
    };
    const calls = [manager.callTool("files", params), manager.callTool("files", params, {})];
    for (const call of calls) await expect(call).rejects.toBe(unreadable);
  });

  it.each(CALLS)("%s rejects after close", async (_name, call) => {
    const { manager, connector } = scriptedManager({ servers: { files: {} } });
    await manager.close();
    await expect(call(manager)).rejects.toMatchObject({ name: "McpPoolClosedError", code: "POOL_CLOSED" });
    await expect(call(manager, { identity: "new" })).rejects.toMatchObject({ code: "POOL_CLOSED" });
    expect(connector.connects).toEqual([]);
  });

  it("hands the options of a call on", async () => {
    const { manager, connector, clock } = scriptedManager({ servers: { files: {} } });
    connector.onRequest.next(ok(CONTENT), hang());
    await manager.callTool("files", { name: "echo" }, { meta: { trace: "1" }, headers: { "x-a": "b" } });
    expect(connector.requests[0]).toMatchObject({
      params: { _meta: { trace: "1" } },
      options: { headers: { "x-a": "b" } },
    });
    const slow = outcomeOf(manager.callTool("files", { name: "echo" }, { timeoutMs: 50 }));
    await clock.advance(50);
    expect(slow).toMatchObject({ state: "rejected", error: { code: "TIMEOUT", phase: "request" } });
  });

  it("returns a result with isError, and passes a server's own error through", async () => {
    const { manager, connector } = scriptedManager({ servers: { files: {} } });
    connector.onRequest.next(ok({ ...CONTENT, isError: true }));
    expect(await manager.callTool("files", { name: "echo" })).toMatchObject({ isError: true });
    const cause = Object.assign(new Error("bad arguments"), { code: -32_602, data: ["a"] });
    connector.onRequest.next(judged("answered", "bad arguments", { cause }));
    await expect(manager.callTool("files", { name: "echo" })).rejects.toBe(cause);
  });

  it("serves the list of tools from a cache, one for each identity", async () => {
    const { manager, connector } = scriptedManager({ servers: { files: {} } });
    connector.onRequest.always(ok({ tools: [] }));
    await manager.listTools("files");
    await manager.listTools("files");
    await manager.listTools("files", { identity: "me" });
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it("subscribes to a resource and unsubscribes from it, for an identity", async () => {
    const { manager, connector } = scriptedManager({ servers: { files: {} } });
    await manager.subscribeResource("files", { uri: "test://a" }, { identity: "me" });
    await manager.unsubscribeResource("files", { uri: "test://a" }, { identity: "me" });
    expect(connector.connects).toMatchObject([{ identity: "me" }]);
    expect(connector.requests).toMatchObject([
      { method: "resources/subscribe", params: { uri: "test://a" } },
      { method: "resources/unsubscribe", params: { uri: "test://a" } },
    ]);
    await expect(manager.subscribeResource("nowhere", { uri: "test://a" })).rejects.toMatchObject({
      code: "SERVER_NOT_FOUND",
    });
    await expect(manager.unsubscribeResource("nowhere", { uri: "test://a" })).rejects.toMatchObject({
      code: "SERVER_NOT_FOUND",
    });
  });

  it("lends a connection, for as long as the lease is held", async () => {
    const { manager, connector } = scriptedManager({ servers: { files: exclusive({ maxConnections: 1 }) } });
    const lease = await manager.acquire("files");
    await lease.client.callTool({ name: "echo" });
    expect(connector.requests).toMatchObject([{ method: "tools/call", connection: 1 }]);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(manager.acquire("files", { signal })).rejects.toThrow("enough");
    await lease[Symbol.asyncDispose]();
    expect(manager.pool("files").stats().leases).toBe(0);
    await expect(manager.acquire("nowhere")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });

  it("lends a connection for one piece of work, however that ends", async () => {
    const { manager } = scriptedManager({ servers: { files: {} } });
    const result = await manager.use(
      "files",
      async (client, lease) => {
        await client.callTool({ name: "echo" });
        expect(manager.poolsOf("files").map((pool) => pool.stats().leases)).toEqual([0, 1]);
        return lease.connectionId;
      },
      { identity: "me" },
    );
    expect(result).toBe(1);
    const bad = manager.use("files", () => {
      throw new Error("bad work");
    });
    await expect(bad).rejects.toThrow("bad work");
    expect(manager.poolsOf("files").map((pool) => pool.stats().leases)).toEqual([0, 0]);
    await expect(manager.use("nowhere", () => 1)).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });

  it("lends a server's tools", async () => {
    const { manager, connector } = scriptedManager({ servers: { files: {} } });
    connector.onRequest.next(ok(CONTENT), ok(CONTENT), ok({ tools: [] }));
    const tools = await manager.getMcpTools("files", { identity: "me" });
    expect(await tools.callTool("echo", { a: 1 })).toEqual(CONTENT);
    await tools.callTool("plain");
    expect(await tools.listTools()).toEqual({ tools: [] });
    expect(connector.connects).toMatchObject([{ identity: "me" }]);
    expect(connector.requests).toMatchObject([
      { method: "tools/call", params: { name: "echo", arguments: { a: 1 } } },
      { method: "tools/call", params: { name: "plain" } },
      { method: "tools/list" },
    ]);
    expect(connector.requests[1]?.params).not.toHaveProperty("arguments");
    // The form of the other methods is an easy mistake.
    await expect(tools.callTool({ name: "echo" } as unknown as string)).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      issues: [{ path: "name" }],
    });
    await tools[Symbol.asyncDispose]();
    const released = await manager.getMcpTools("files");
    released.release();
    released.release();
    await expect(tools.callTool("echo")).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    expect(manager.poolsOf("files").map((pool) => pool.stats().leases)).toEqual([0, 0]);
  });
});
