import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector } from "../src/http/index.ts";
import { callTool, failureOf, open, SLOW } from "./connecting.ts";

type Answer = (response: ServerResponse, id: unknown, request: IncomingMessage) => unknown;

const RESULT = { content: [{ type: "text", text: "fine" }] };

/** Serves MCP well, but for the first call of a tool. */
async function startOddServer(answer: Answer): Promise<URL> {
  let isOdd = true;
  const server = createServer(async (request, response) => {
    response.on("error", () => undefined);
    if (request.method !== "POST") return response.writeHead(request.method === "GET" ? 405 : 200).end();
    const { id, method, params } = JSON.parse(await text(request)) as {
      id?: number;
      method: string;
      params?: { protocolVersion?: string };
    };
    if (id === undefined) return response.writeHead(202).end();
    if (method === "tools/call" && isOdd) {
      isOdd = false;
      return answer(response, id, request);
    }
    const serverInfo = { name: "odd", version: "1" };
    const initialised = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
    const result = method === "initialize" ? initialised : RESULT;
    return json(response, { jsonrpc: "2.0", id, result });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

function json(response: ServerResponse, body: unknown, status = 200): unknown {
  return response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function stream(response: ServerResponse, ...events: readonly unknown[]): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) {
    response.write(`event: message\ndata: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`);
  }
  return response;
}

const answers: Readonly<Record<string, readonly [answer: Answer, judgement: string]>> = {
  "a page in place of an answer": [
    (response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>It works!</h1>"),
    "outcome-unknown",
  ],
  "an answer without a media type": [(response) => response.writeHead(200).end(), "outcome-unknown"],
  "JSON that is none": [
    (response) => response.writeHead(200, { "content-type": "application/json" }).end('{"jsonrpc":"2.0",'),
    "outcome-unknown",
  ],
  "JSON that is no message": [(response) => json(response, { ok: true }), "outcome-unknown"],
  "the answer to another request": [
    (response) => json(response, { jsonrpc: "2.0", id: 7, result: RESULT }),
    "outcome-unknown",
  ],
  "202, which is for notifications": [(response) => response.writeHead(202).end(), "outcome-unknown"],
  "204, no content": [(response) => response.writeHead(204).end(), "outcome-unknown"],
  "a stream with events that are no messages": [(response) => stream(response, "{", "[]").end(), "outcome-unknown"],
  "a stream with the answer to another request": [
    (response) => stream(response, { jsonrpc: "2.0", id: 7, result: RESULT }).end(),
    "outcome-unknown",
  ],
  "an empty stream": [(response) => stream(response).end(), "outcome-unknown"],
  "a body that cannot be unpacked": [
    (response) =>
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end("not gzip"),
    "outcome-unknown",
  ],
  "something that is no HTTP": [(_response, _id, { socket }) => socket.end("SMTP ready\r\n\r\n"), "outcome-unknown"],
  "an end in the middle of the head": [
    (_response, _id, { socket }) => socket.end("HTTP/1.1 200 OK\r\ncontent-"),
    "outcome-unknown",
  ],
  "a JSON-RPC error with HTTP 200": [
    (response, id) => json(response, { jsonrpc: "2.0", id, error: { code: -32_000, message: "no" } }),
    "answered",
  ],
  "a JSON-RPC error with HTTP 400": [
    (response, id) => json(response, { jsonrpc: "2.0", id, error: { code: -32_602, message: "no" } }, 400),
    "answered",
  ],
  "a JSON-RPC error with HTTP 500 for this very request": [
    (response, id) => json(response, { jsonrpc: "2.0", id, error: { code: -32_603, message: "no" } }, 500),
    "answered",
  ],
  "an HTTP error whose body never ends": [
    (response) => response.writeHead(500, { "content-length": "100" }).flushHeaders(),
    "aborted",
  ],
  ...statuses([301, 302, 307, 308], "not-sent", { location: "http://127.0.0.1:1/elsewhere" }),
  ...statuses([404, 405, 408, 410, 421, 425], "not-sent"),
  ...statuses([401, 403], "unauthorised"),
  ...statuses([400, 402, 406, 407, 409, 411, 413, 414, 415, 422, 426, 428, 431, 451], "answered"),
  ...statuses([429, 503], "overloaded"),
  ...statuses([500, 501, 502, 504, 505, 507, 508, 511, 520, 524, 529], "outcome-unknown"),
};

function statuses(all: readonly number[], judgement: string, headers = {}): Record<string, readonly [Answer, string]> {
  return Object.fromEntries(
    all.map((status) => [`HTTP ${status}`, [(response) => response.writeHead(status, headers).end(), judgement]]),
  );
}

describe("over raw HTTP, a request is judged that meets", SLOW, () => {
  test.each(Object.entries(answers))("%s", async (_, [answer, judgement]) => {
    const url = await startOddServer(answer);
    const connection = await open(httpConnector({ url }));
    const startedAt = performance.now();
    const call = failureOf(
      callTool(connection, "echo", {}, AbortSignal.timeout(judgement === "aborted" ? 300 : 20_000)),
    );
    expect(await call).toMatchObject({ name: "RequestFailure", judgement });
    expect(performance.now() - startedAt, "it does not wait for the deadline").toBeLessThan(15_000);
    expect(await callTool(connection, "echo"), "the connection serves on").toEqual(RESULT);
  });
});

/** Makes fetch go elsewhere from the first call of a tool on, as when the network changes under a connection. */
function detour(to: URL): typeof fetch {
  return (url, init) => {
    const isCall = typeof init?.body === "string" && init.body.includes("tools/call");
    return fetch(isCall ? to : url, init);
  };
}

async function closedPort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Takes connections and ends them at the first word. */
async function startHangingUp(how: "end" | "resetAndDestroy"): Promise<number> {
  const server = createSocketServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket[how]());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("over a network in disorder, a request is judged that meets", SLOW, () => {
  test.each<[string, (server: URL) => Promise<string> | string, string]>([
    ["a port where nobody listens", async () => `http://127.0.0.1:${await closedPort()}/mcp`, "not-sent"],
    ["a host that does not exist", () => "http://no-such-host.invalid/mcp", "not-sent"],
    ["plain HTTP where TLS is spoken", ({ port }) => `https://127.0.0.1:${port}/mcp`, "not-sent"],
    ["an end in the TLS handshake", async () => `https://127.0.0.1:${await startHangingUp("end")}/mcp`, "not-sent"],
    // Node does not tell it from a reset after the handshake.
    [
      "a reset in it",
      async () => `https://127.0.0.1:${await startHangingUp("resetAndDestroy")}/mcp`,
      "outcome-unknown",
    ],
    ["an end after the request", async () => `http://127.0.0.1:${await startHangingUp("end")}/mcp`, "outcome-unknown"],
  ])("%s", async (_, elsewhere, judgement) => {
    const url = await startOddServer(() => undefined);
    const to = new URL(await elsewhere(url));
    const connection = await open(httpConnector({ url, fetch: detour(to) }));
    const failure = await failureOf(callTool(connection, "echo"));
    expect(failure).toMatchObject({ name: "RequestFailure", judgement });
    expect(failure.message).not.toBe("fetch failed");
  });
});
