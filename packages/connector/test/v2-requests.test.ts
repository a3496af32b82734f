import { modernStdioServer } from "@mcp-pool/modern-test-server";
import { SdkError, SdkErrorCode } from "@modelcontextprotocol/client";
import { describe, expect, test } from "vitest";
import { stdioConnector } from "../src/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { callTool, eventually, failureOf, never, open, SLOW } from "./connecting.ts";
import { modern, openModern } from "./modern.ts";

const text = (value: string) => ({ content: [{ type: "text", text: value }] });

describe("a request in the modern era", SLOW, () => {
  test("fails as soon as its response stream ends, as one that may have run", async () => {
    const { server, connection } = await openModern();
    const params = { name: "begin", arguments: {} };
    const call = failureOf(connection.request("tools/call", params, { signal: never(), onProgress: () => {} }));
    await eventually(() => server.backend.executions.get("begin")).toBe(1);
    const cutAt = performance.now();
    expect(server.cut("tools/call")).toBe(1);
    expect(await call).toMatchObject({ judgement: "outcome-unknown" });
    // The SDK alone would wait for its time-out, a minute or more.
    expect(performance.now() - cutAt).toBeLessThan(10_000);
    expect(await callTool(connection, "echo", { message: "still here" })).toMatchObject(text("still here"));
  });

  test("may have run as well, where the SDK is the first to notice that its answer is lost", async () => {
    const { server, connection } = await openModern();
    const call = failureOf(callTool(connection, "hang"));
    await eventually(() => server.openResponses("tools/call")).toBe(1);
    // As an SDK would that fails a request whose stream has ended.
    const { _responseHandlers } = connection.raw as unknown as { _responseHandlers: Map<number, (e: Error) => void> };
    for (const fail of _responseHandlers.values())
      fail(new SdkError(SdkErrorCode.ConnectionClosed, "the stream ended"));
    expect(await call).toMatchObject({ judgement: "outcome-unknown", message: "the stream ended" });
    server.cut("tools/call");
    expect(await callTool(connection, "echo", { message: "still here" })).toMatchObject(text("still here"));
  });

  test("is cancelled by the end of its HTTP request, after which no late answer is waited for", async () => {
    const { server, connection } = await openModern();
    const controller = new AbortController();
    const call = failureOf(callTool(connection, "hang", {}, controller.signal));
    await eventually(() => server.openResponses("tools/call")).toBe(1);
    controller.abort(new Error("enough"));
    const failure = await call;
    expect(failure).toMatchObject({ judgement: "aborted" });
    await failure.lateAnswer;
    await eventually(() => server.openResponses("tools/call")).toBe(0);
    expect(server.requests.has("notifications/cancelled")).toBe(false);
  });

  test("is cancelled by a message over stdio, which stops the tool", async () => {
    const connection = await open(stdioConnector({ ...modernStdioServer(), sdk: sdkV2() }));
    const controller = new AbortController();
    const call = failureOf(callTool(connection, "hang", {}, controller.signal));
    await callTool(connection, "echo", { message: "meanwhile" });
    controller.abort(new Error("enough"));
    expect(await call).toMatchObject({ judgement: "aborted" });
    expect(await callTool(connection, "echo", { message: "still here" })).toMatchObject(text("still here"));
  });

  test("reports progress, then its answer", async () => {
    const { connection } = await openModern();
    const progress: number[] = [];
    const params = { name: "progress", arguments: { steps: 3 } };
    const result = await connection.request("tools/call", params, {
      signal: never(),
      onProgress: (report) => void progress.push(report.progress),
    });
    expect(progress).toEqual([1, 2, 3]);
    expect(result).toMatchObject(text("done"));
  });

  test.each([
    [503, "overloaded"],
    [401, "unauthorised"],
    [404, "not-sent"],
    [502, "outcome-unknown"],
  ])("refused with HTTP %i is judged as %s", async (status, judgement) => {
    const { server, connection } = await openModern();
    server.refuseNext("tools/call", status);
    expect(await failureOf(callTool(connection, "count"))).toMatchObject({ judgement });
    expect(await callTool(connection, "count")).toMatchObject(text("1"));
  });

  test("to a server that is gone is judged as not sent, and the server that comes back needs no new connection", async () => {
    const { server, connection } = await openModern();
    await server.stop();
    const lost = await Promise.all(Array.from({ length: 50 }, () => failureOf(callTool(connection, "count"))));
    expect(new Set(lost.map(({ judgement }) => judgement))).toEqual(new Set(["not-sent"]));
    await server.start();
    const answers = await Promise.all(Array.from({ length: 50 }, () => callTool(connection, "count")));
    expect(answers).toHaveLength(50);
    expect(server.backend.executions.get("count")).toBe(50);
  });

  test("fails within its connection when the connection is closed, never unjudged", async () => {
    const { server, connection } = await openModern();
    const call = failureOf(callTool(connection, "hang"));
    await eventually(() => server.openResponses("tools/call")).toBe(1);
    await connection.close("unneeded");
    expect(await call).toMatchObject({ judgement: "outcome-unknown" });
    expect(await failureOf(connection.probe(never()))).toMatchObject({ judgement: "not-sent" });
  });

  test("hands structured content on as it is, whatever the output schema says", async () => {
    const { connection } = await openModern();
    await connection.request("tools/list", undefined, { signal: never() });
    expect(await callTool(connection, "structured", { message: "four" })).toMatchObject({
      structuredContent: { length: 4 },
    });
  });
});

describe("headers of a request in the modern era", SLOW, () => {
  test("reach that request alone, and none that the protocol answers for can be set", async () => {
    const { connection } = await openModern();
    const headers = { "x-own": "1", "mcp-method": "ping", "mcp-name": "nothing", "mcp-protocol-version": "1" };
    const params = { name: "headers", arguments: {} };
    const ask = async (own?: Record<string, string>): Promise<Record<string, string>> => {
      const result = await connection.request("tools/call", params, { signal: never(), headers: own });
      return JSON.parse((result as { content: { text: string }[] }).content[0]?.text ?? "");
    };
    expect(await ask(headers)).toMatchObject({
      "x-own": "1",
      "mcp-method": "tools/call",
      "mcp-name": "headers",
      "mcp-protocol-version": "2026-07-28",
    });
    expect(await ask()).not.toHaveProperty("x-own");
  });

  test("repeat parameters as the tool's definition asks, also on connections that never listed the tools", async () => {
    const { server, connector } = await modern();
    const first = await open(connector);
    await first.request("tools/list", undefined, { signal: never() });
    const second = await open(connector);
    for (const connection of [first, second]) {
      expect(await callTool(connection, "in-region", { region: "süd" })).toMatchObject(
        text(`süd =?base64?${Buffer.from("süd").toString("base64")}?=`),
      );
    }
    expect(server.requests.get("tools/list")).toBe(1);
    expect(server.requests.get("tools/call")).toBe(2);
  });

  test("are found out where no connection ever listed the tools: once for many calls, and each call runs once", async () => {
    const { server, connection } = await openModern();
    const calls = Array.from({ length: 20 }, (_, index) => callTool(connection, "in-region", { region: `r${index}` }));
    const answers = await Promise.all(calls);
    expect(answers).toMatchObject(answers.map((_, index) => text(`r${index} r${index}`)));
    expect(server.requests.get("tools/list")).toBe(1);
  });
});

describe("the response cache", SLOW, () => {
  const list = { method: "tools/list" } as const;

  test("serves what the server lets it keep, to all connections of an identity and to no other", async () => {
    const { server, connector } = await modern({ listen: false }, { ttlMs: 60_000 });
    for (const identity of ["ada", "ada", "bob", "bob"]) {
      const connection = await open(connector, { identity });
      await connection.request(list.method, undefined, { signal: never() });
      const resource = { uri: "test://text" };
      expect(await connection.request("resources/read", resource, { signal: never() })).toMatchObject({
        contents: [{ text: "first" }],
      });
    }
    expect(server.requests.get("tools/list")).toBe(2);
    expect(server.requests.get("resources/read")).toBe(2);
  });

  test("stands aside where the server keeps it from keeping, and for requests with headers of their own", async () => {
    const { server, connection } = await openModern({ listen: false });
    await connection.request(list.method, undefined, { signal: never() });
    await connection.request(list.method, undefined, { signal: never() });
    expect(server.requests.get("tools/list")).toBe(2);

    const keeping = await openModern({ listen: false }, { ttlMs: 60_000 });
    const headers = { authorization: "Bearer somebody else's" };
    await keeping.connection.request(list.method, undefined, { signal: never(), headers });
    await keeping.connection.request(list.method, undefined, { signal: never() });
    await keeping.connection.request(list.method, undefined, { signal: never(), headers });
    expect(keeping.server.requests.get("tools/list")).toBe(3);
  });
});
