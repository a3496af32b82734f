import { type HttpTestServer, startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector } from "../src/http/index.ts";
import { callTool, closed, eventually, failureOf, open, SLOW } from "./connecting.ts";

const CALL = { method: "tools/call" };

const rows: Readonly<Record<string, readonly [(server: HttpTestServer) => unknown, string]>> = {
  "429 with Retry-After": [(server) => server.failNext({ status: 429, retryAfter: 2, ...CALL }), "overloaded"],
  "503": [(server) => server.failNext({ status: 503, ...CALL }), "overloaded"],
  "401": [(server) => server.failNext({ status: 401, ...CALL }), "unauthorised"],
  "404 with a JSON-RPC error": [(server) => server.failNext({ status: 404, ...CALL }), "answered"],
  "400": [(server) => server.failNext({ status: 400, ...CALL }), "answered"],
  "500": [(server) => server.failNext({ status: 500, ...CALL }), "outcome-unknown"],
  "a reset": [(server) => server.resetNext(CALL), "outcome-unknown"],
};

describe("over HTTP+SSE, a request is judged that meets", SLOW, () => {
  test.each(Object.entries(rows))("%s", async (name, [upset, judgement]) => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const connection = await open(httpConnector({ url: server.sseUrl, transport: "sse" }));
    await upset(server);
    const failure = await failureOf(callTool(connection, "echo", { message: "" }));
    expect(failure).toMatchObject({ name: "RequestFailure", judgement });
    if (name.includes("Retry-After")) expect(failure.retryAfterMs).toBe(2_000);
  });

  test("a server that has gone: not sent, as soon as the end of its event stream is known", async () => {
    const server = await startHttpTestServer();
    const connection = await open(httpConnector({ url: server.sseUrl, transport: "sse" }));
    const ended = closed(connection);
    await server.close();
    expect((await ended)?.message).toContain("event stream ended");
    expect((await failureOf(callTool(connection, "echo", { message: "" }))).judgement).toBe("not-sent");
  });

  test.each(["destroy", "end"] as const)("the end of the event stream that carries all answers (%s)", async (how) => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const connection = await open(httpConnector({ url: server.sseUrl, transport: "sse" }));
    const calls = [1, 2].map(() => failureOf(callTool(connection, "hang")));
    await eventually(() => server.stats().requests["tools/call"]).toBe(2);
    server.dropStreams({ how });
    for (const failure of await Promise.all(calls)) expect(failure.judgement).toBe("outcome-unknown");
    expect((await failureOf(callTool(connection, "hang"))).judgement).toBe("not-sent");
  });
});
