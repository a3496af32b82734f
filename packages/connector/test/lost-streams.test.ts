import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { McpConnectionPool } from "@mcp-pool/core";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector } from "../src/http/index.ts";
import { callTool, eventually, failureOf, open, SLOW } from "./connecting.ts";

/** Answers the handshake with JSON, and each call with an event stream that the test writes. */
async function streamingServer(onCall: (id: unknown, response: ServerResponse) => void) {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { method, id } = text === "" ? { method: undefined, id: undefined } : JSON.parse(text);
    if (method === "initialize") {
      const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "s", version: "1" } };
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    }
    if (method !== "tools/call") return response.writeHead(request.method === "POST" ? 202 : 405).end();
    response.writeHead(200, { "content-type": "text/event-stream" });
    return onCall(id, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

function answer(id: unknown, text: string): string {
  const message = { jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } };
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

describe("a response stream that ends in mid-call", SLOW, () => {
  test("fails its call through the pool as OUTCOME_UNKNOWN long before any time-out, and is not repeated", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const pool = new McpConnectionPool(httpConnector({ url: server.url }), { minConnections: 0 });
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    for (const how of ["end", "destroy"] as const) {
      const lost = pool.client.callTool({ name: "count", arguments: { key: how, delayMs: 30_000 } });
      await eventually(() => server.stats().executions[how]?.started).toBe(1);
      const startedAt = performance.now();
      server.dropStreams({ which: "request", how });
      await expect(lost).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(server.stats().executions[how]?.started).toBe(1);
    }
  });

  test("after the answer is no loss, even where both come in one piece", async () => {
    const url = await streamingServer((id, response) => response.end(answer(id, "whole")));
    const connection = await open(httpConnector({ url }));
    const calls = Array.from({ length: 20 }, () => callTool(connection, "x"));
    expect(await Promise.all(calls)).toEqual(calls.map(() => ({ content: [{ type: "text", text: "whole" }] })));
  });

  test("in the middle of the answer loses it", async () => {
    const url = await streamingServer((id, response) => response.end(answer(id, "half").slice(0, -20)));
    const connection = await open(httpConnector({ url }));
    expect(await failureOf(callTool(connection, "x"))).toMatchObject({ judgement: "outcome-unknown" });
  });

  test("fails its own call only", async () => {
    const responses = new Map<number, ServerResponse>();
    let count = 0;
    const url = await streamingServer((id, response) => {
      responses.set(count++, response);
      response.write(": begun\n\n");
      if (count === 3) {
        responses.get(1)?.destroy();
        responses.get(2)?.end(answer(id, "third"));
      }
    });
    const connection = await open(httpConnector({ url }));
    const first = callTool(connection, "x");
    await eventually(() => count).toBe(1);
    const second = failureOf(callTool(connection, "x"));
    await eventually(() => count).toBe(2);
    const third = callTool(connection, "x");
    expect(await second).toMatchObject({ judgement: "outcome-unknown" });
    await expect(third).resolves.toMatchObject({ content: [{ text: "third" }] });
    responses.get(0)?.destroy();
    expect(await failureOf(first)).toMatchObject({ judgement: "outcome-unknown" });
  });
});
