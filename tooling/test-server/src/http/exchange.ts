import type { IncomingMessage, ServerResponse } from "node:http";

/** One HTTP request with its body read, and the response it waits for. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The parsed body; undefined without one, or where it is no JSON. */
  readonly body: unknown;
}

/** Reads the request's body. */
export async function readExchange(request: IncomingMessage, response: ServerResponse): Promise<Exchange> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return { request, response, url, body: parse(Buffer.concat(chunks).toString("utf8")) };
}

/** Answers with a JSON document. */
export function answerJson(
  { response }: Exchange,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Answers with a status and, as MCP servers do, a JSON-RPC error in its body. */
export function answerError(
  exchange: Exchange,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  const code = status === 404 ? -32_001 : -32_000;
  answerJson(exchange, status, { jsonrpc: "2.0", error: { code, message }, id: null }, headers);
}

/** Names the JSON-RPC methods of a body; a client's response has none. */
export function methodsOf(body: unknown): readonly string[] {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.flatMap((message) =>
    typeof message === "object" && message !== null && "method" in message && typeof message.method === "string"
      ? [message.method]
      : [],
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
