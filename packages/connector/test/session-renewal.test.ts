import { McpConnectionPool, type PoolEvent } from "@mcp-pool/core";
import { type HttpTestServer, type HttpTestServerOptions, startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HttpConnectorOptions, httpConnector } from "../src/http/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { callForJson, callTool, eventually, failureOf, never, open, SLOW } from "./connecting.ts";

async function startServer(options: HttpTestServerOptions = {}): Promise<HttpTestServer> {
  const server = await startHttpTestServer(options);
  onTestFinished(() => server.close());
  return server;
}

async function connected(serverOptions: HttpTestServerOptions = {}, options: Partial<HttpConnectorOptions> = {}) {
  const server = await startServer(serverOptions);
  return { server, connection: await open(httpConnector({ url: server.url, ...options })) };
}

function initializes(server: HttpTestServer): number {
  return server.stats().requests.initialize ?? 0;
}

describe("a session that the server forgot", SLOW, () => {
  test.each([
    ["1.x", undefined],
    ["2.x", sdkV2()],
  ])("is renewed once for all calls, and each refused call is sent once more, with the %s SDK", async (_, sdk) => {
    const { server, connection } = await connected({}, { sdk });
    const told: string[] = [];
    connection.onEvent?.(({ type }) => told.push(type));
    server.expireSessions();
    const calls = Array.from({ length: 50 }, (_, index) => callForJson(connection, "count", { key: `call-${index}` }));
    await Promise.all(calls);
    expect(initializes(server)).toBe(2);
    expect(told).toEqual(["session-renewed"]);
    const { executions } = server.stats();
    const counts = Array.from({ length: 50 }, (_, index) => executions[`call-${index}`]?.started);
    expect(counts).toEqual(Array.from({ length: 50 }, () => 1));
  });

  test("completes what is in flight on it, and then closes", async () => {
    const { server, connection } = await connected();
    const slow = callTool(connection, "sleep", { ms: 600 });
    await eventually(() => server.stats().responses.requests).toBe(1);
    server.expireSessions();
    await callTool(connection, "echo", { message: "on the new session" });
    expect(initializes(server)).toBe(2);
    expect(server.stats().responses.requests).toBe(1);
    await expect(slow).resolves.toMatchObject({ content: [{ text: "slept 600 ms" }] });
    // The old session's own stream ends with it; the new session has one stream too.
    await eventually(() => server.stats().responses.listening).toBe(1);
    await connection.close("idle");
    await eventually(() => server.stats().sockets.open).toBe(0);
  });

  test("stays open for the late answer of a call that was abandoned", async () => {
    const { server, connection } = await connected({ ignoreCancellation: true });
    const controller = new AbortController();
    const abandoned = failureOf(callTool(connection, "sleep", { ms: 500 }, controller.signal));
    await eventually(() => server.stats().responses.requests).toBe(1);
    controller.abort();
    server.expireSessions();
    await callTool(connection, "echo", { message: "on the new session" });
    const { lateAnswer } = await abandoned;
    expect(server.stats().responses.requests).toBe(1);
    await lateAnswer;
  });

  test("is renewed by a probe, too", async () => {
    const { server, connection } = await connected();
    server.expireSessions();
    await connection.probe(never());
    expect(initializes(server)).toBe(2);
  });

  test.each([400, 401] as const)("is renewed on HTTP %i where that is declared", async (unknownSessionStatus) => {
    const { server, connection } = await connected({ unknownSessionStatus }, { sessionLostStatuses: [400, 401, 404] });
    server.expireSessions();
    await expect(callTool(connection, "echo", { message: "again" })).resolves.toBeDefined();
    expect(initializes(server)).toBe(2);
  });

  test("is no reason for 404 with -32601, which says that the method is unknown", async () => {
    const { server, connection } = await connected();
    server.failNext({ status: 404, rpcCode: -32_601, method: "tools/call" });
    const failure = await failureOf(callTool(connection, "echo", { message: "" }));
    expect(failure).toMatchObject({ judgement: "answered", cause: { code: -32_601 } });
    expect(initializes(server)).toBe(1);
  });

  test("is not renewed on an exclusive connection, nor where that is switched off", async () => {
    const server = await startServer();
    const exclusive = await open(httpConnector({ url: server.url }), { sharing: "exclusive" });
    const switchedOff = await open(httpConnector({ url: server.url, renewSessions: false }));
    server.expireSessions();
    for (const connection of [exclusive, switchedOff]) {
      const failure = await failureOf(callTool(connection, "count", { key: "never" }));
      expect(failure.judgement).toBe("session-lost");
    }
    expect(initializes(server)).toBe(2);
    expect(server.stats().executions.never).toBeUndefined();
  });

  test("that is forgotten again at once is given up", async () => {
    const { server, connection } = await connected();
    server.expireSessions();
    server.failNext({ status: 404, method: "tools/call", count: 2 });
    const failure = await failureOf(callTool(connection, "echo", { message: "" }));
    expect(failure.judgement).toBe("session-lost");
    server.failNext({ status: 404, method: "tools/call" });
    expect(await failureOf(callTool(connection, "echo", { message: "" }))).toMatchObject({ judgement: "session-lost" });
    expect(initializes(server)).toBe(2);
  });

  test("fails its calls as not sent when it cannot be renewed, and as overloaded when the server says so", async () => {
    const { server, connection } = await connected();
    server.expireSessions();
    server.failNext({ status: 503, retryAfter: 3, method: "initialize" });
    expect(await failureOf(callTool(connection, "echo", { message: "" }))).toMatchObject({
      judgement: "overloaded",
      retryAfterMs: 3_000,
    });
    server.failNext({ status: 500, method: "initialize" });
    expect(await failureOf(callTool(connection, "echo", { message: "" }))).toMatchObject({
      judgement: "not-sent",
      message: expect.stringContaining("HTTP 500"),
    });
    expect(await failureOf(callTool(connection, "echo", { message: "" }))).toMatchObject({ judgement: "session-lost" });
  });

  test("leaves nothing behind when the connection closes while it is renewed, or a caller goes", async () => {
    const { server, connection } = await connected();
    server.expireSessions();
    server.hangNext({ method: "initialize" });
    const controller = new AbortController();
    const gone = failureOf(callTool(connection, "echo", { message: "" }, controller.signal));
    const closed = failureOf(callTool(connection, "echo", { message: "" }));
    await eventually(() => initializes(server)).toBe(2);
    controller.abort("no longer");
    expect(await gone).toMatchObject({ judgement: "aborted", cause: "no longer", lateAnswer: undefined });
    await connection.close("discarded");
    expect(await closed).toMatchObject({ judgement: "not-sent" });
    await eventually(() => server.stats().sockets.open).toBe(0);
  });
});

describe("a pool whose server forgets sessions", SLOW, () => {
  test("keeps its connections and restores resource subscriptions", async () => {
    const server = await startServer();
    const pool = new McpConnectionPool(httpConnector({ url: server.url }), { minConnections: 0, maxConnections: 1 });
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    const events: PoolEvent[] = [];
    pool.subscribe((event) => events.push(event), ["connection-closed", "session-renewed", "notification-received"]);
    await pool.subscribeResource({ uri: "test://data" });
    server.expireSessions();
    await pool.client.callTool({ name: "echo", arguments: { message: "" } });
    await eventually(() => server.stats().requests["resources/subscribe"]).toBe(2);
    expect(events.map(({ type }) => type)).toEqual(["session-renewed"]);
    expect(pool.stats().connections).toMatchObject({ total: 1 });
  });

  test("ends an exclusive lease with McpSessionLostError, and repeats nothing", async () => {
    const server = await startServer();
    const pool = new McpConnectionPool(httpConnector({ url: server.url }), { sharing: "exclusive", minConnections: 0 });
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    await using lease = await pool.acquire();
    await lease.client.callTool({ name: "count", arguments: { key: "state" } });
    server.expireSessions();
    for (let call = 0; call < 2; call++) {
      const lost = lease.client.callTool({ name: "count", arguments: { key: "state" } });
      await expect(lost).rejects.toMatchObject({ code: "SESSION_LOST" });
    }
    expect(server.stats().executions.state?.started).toBe(1);
    expect(initializes(server)).toBe(1);
    await lease.release();
    await using next = await pool.acquire();
    await next.client.callTool({ name: "count", arguments: { key: "state" } });
    expect(initializes(server)).toBe(2);
  });
});
