import { describe, expect, it } from "vitest";
import { CIRCUIT_BREAKER, type CircuitBreaker, McpConnectionManager, type PoolPlugin } from "../src/index.ts";
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

describe("a manager's view of its servers", () => {
  it("has the pool of each server from the start, before any connection", () => {
    const { manager, connector } = scriptedManager({ servers: { a: {}, b: {} } });
    expect([...manager.pools.keys()]).toEqual(["a", "b"]);
    expect(manager.pools.get("a")).toBe(manager.pool("a"));
    expect(manager.pool("a").serverName).toBe("a");
    expect(manager.poolsOf("b")).toEqual([manager.pool("b")]);
    expect(connector.connects).toEqual([]);
    expect(() => manager.pool("c")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));
    expect(() => manager.poolsOf("c")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));
  });

  it("says so when no server is configured", async () => {
    const manager = new McpConnectionManager({});
    await expect(manager.callTool("a", { name: "b" })).rejects.toThrow('unknown MCP server "a"; none is configured');
    await manager.close();
  });

  it("selects servers by tag", () => {
    const { manager } = scriptedManager({
      servers: { a: { tags: ["production", "critical"] }, b: { tags: ["production"] }, c: {} },
    });
    expect(manager.servers()).toEqual(["a", "b", "c"]);
    expect(manager.servers({ tag: "production" })).toEqual(["a", "b"]);
    expect(manager.servers({ tag: "critical" })).toEqual(["a"]);
    expect(manager.servers({ tag: "prod" })).toEqual([]);
  });

  it("finds the circuit breaker of a pool, and names the package that is missing", () => {
    const without = scriptedManager({ servers: { a: {} } }).manager;
    expect(() => without.circuitBreaker("a")).toThrow(/@mcp-pool\/breaker/);
    expect(() => without.circuitBreaker("b")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));

    const breakers = new Map<string, CircuitBreaker>();
    const plugin: PoolPlugin = {
      name: CIRCUIT_BREAKER,
      install: ({ poolName }) => {
        const getStats = () => ({ state: "open", tripCount: 2, failureCount: 3, timeInCurrentStateMs: 1_500 });
        const handle = { state: "open", getStats } as unknown as CircuitBreaker;
        breakers.set(poolName, handle);
        return { handle };
      },
    };
    const { manager } = scriptedManager({ servers: { a: {} }, plugins: [plugin] });
    expect(manager.circuitBreaker("a")).toBe(breakers.get("a"));
    expect(manager.circuitBreaker("a")).toBe(manager.pool("a").circuitBreaker);
    const own = manager.circuitBreaker("a", "me");
    expect(own).toBe(manager.poolsOf("a")[1]?.circuitBreaker);
    expect(own).not.toBe(manager.circuitBreaker("a"));
    expect(manager.getPoolMetrics("a").circuitBreaker).toEqual({
      open: true,
      state: "open",
      tripCount: 2,
      failureCount: 3,
      secondsInState: 1.5,
    });
  });

  it("counts what the pools of a server did", async () => {
    const { manager, connector } = scriptedManager({
      servers: { a: { pool: { minConnections: 0, maxConnections: 4 } }, b: {} },
    });
    await manager.callTool("a", { name: "echo" });
    await manager.callTool("a", { name: "echo" });
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    connector.onRequest.next(ok({ content: [], isError: true }));
    const lease = await manager.acquire("a");
    await lease.client.callTool({ name: "echo" });
    const metrics = manager.getPoolMetrics("a");
    expect(metrics).toEqual({
      connections: { total: 2, active: 1, idle: 1, failed: 0, connecting: 0, waiting: 0, min: 0, max: 8 },
      lifecycle: { created: 2, destroyed: 0, borrowed: 4, returned: 3 },
      poolPerformance: {
        hits: 2,
        misses: 2,
        hitRatio: 0.5,
        missRatio: 0.5,
        utilizationPercent: 100 / (8 * 16),
        peakActive: 2,
      },
      errors: { connection: 0, timeout: 0, validation: 0, poolExhausted: 0, circuitOpen: 0, tool: 1 },
    });
    expect(Object.keys(manager.getPoolMetrics())).toEqual(["a", "b"]);
    expect(manager.getPoolMetrics().a).toEqual(metrics);
    expect(manager.getPoolMetrics("b").poolPerformance).toMatchObject({
      hitRatio: 0,
      missRatio: 0,
      utilizationPercent: 0,
    });
    expect(() => manager.getPoolMetrics("c")).toThrow(expect.objectContaining({ code: "SERVER_NOT_FOUND" }));
    lease.release();
  });

  it("takes a snapshot that is ready for JSON", async () => {
    const { manager } = scriptedManager({ max: 7, servers: { a: { priority: 3, tags: ["x"] }, b: {} } });
    await manager.callTool("a", { name: "echo" }, { identity: "me" });
    const stats = manager.stats();
    expect(JSON.parse(JSON.stringify(stats))).toMatchObject({
      totalConnections: 1,
      maxTotalConnections: 7,
      servers: {
        a: {
          priority: 3,
          tags: ["x"],
          pools: [
            { poolName: "a", serverName: "a", connections: { total: 0 } },
            { serverName: "a", identity: "me", connections: { total: 1, idle: 1 } },
          ],
        },
        b: { priority: 0, tags: [], pools: [{ poolName: "b" }] },
      },
    });
    expect(JSON.stringify(manager.getPoolMetrics())).toContain('"lifecycle"');
  });
});
