import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** One call of a tool, as the server sees it. */
export interface RawCall {
  readonly id: unknown;
  readonly params: { readonly name: string; readonly _meta?: { readonly progressToken?: unknown } };
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What a server does that speaks HTTP by hand. */
export interface RawServer {
  readonly onCall: (call: RawCall) => unknown;
  /** Answers GET requests. @default 405 */
  readonly onGet?: (request: IncomingMessage, response: ServerResponse) => unknown;
}

/** Serves MCP of the legacy era, with JSON answers to all but calls of tools; it ends with the test. */
export async function startRawServer({ onCall, onGet }: RawServer): Promise<URL> {
  const server = createServer(async (request, response) => {
    response.on("error", () => undefined);
    if (request.method === "GET" && onGet !== undefined) return onGet(request, response);
    if (request.method !== "POST") return response.writeHead(request.method === "GET" ? 405 : 200).end();
    const { id, method, params } = JSON.parse(await text(request));
    if (id === undefined) return response.writeHead(202).end();
    if (method === "tools/call") return onCall({ id, params, request, response });
    if (method === "server/discover") {
      return json(response, { jsonrpc: "2.0", id, error: { code: -32_601, message: "Method not found" } });
    }
    const serverInfo = { name: "raw", version: "1" };
    const initialised = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
    return json(response, { jsonrpc: "2.0", id, result: method === "initialize" ? initialised : {} });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

/** Answers with one JSON document. */
export function json(response: ServerResponse, body: unknown): unknown {
  return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Makes the result of a tool. */
export function resultOf(said: string): { readonly content: readonly unknown[] } {
  return { content: [{ type: "text", text: said }] };
}

/** Makes the answer to a call. */
export function answerTo(id: unknown, said: string): object {
  return { jsonrpc: "2.0", id, result: resultOf(said) };
}

/** Writes a message as an event. */
export function eventOf(message: object): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
