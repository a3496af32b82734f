import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { answerError, type Exchange } from "./exchange.ts";
import type { HttpSession, HttpSessions } from "./http-sessions.ts";
import type { HttpTestServerOptions } from "./http-test-server-options.ts";

/** Hears of the session that is about to execute a request. */
export type BeforeExecution = (session: HttpSession) => void;

/** Serves Streamable HTTP at `/mcp`. */
export async function serveStreamable(
  exchange: Exchange,
  sessions: HttpSessions,
  options: HttpTestServerOptions,
  beforeExecution: BeforeExecution,
): Promise<void> {
  const { request, response, body } = exchange;
  if (request.method === "POST" && body === undefined) return answerError(exchange, 400, "The body is no JSON");
  const session = await streamableSession(exchange, sessions, options);
  if (session === undefined) return;
  beforeExecution(session);
  if (options.stateless) response.once("close", () => void session.server.close());
  await session.transport.handleRequest(request, response, body);
}

/** Serves the event stream of the old HTTP+SSE transport at `/sse`. */
export async function serveLegacyStream(exchange: Exchange, sessions: HttpSessions): Promise<void> {
  if (exchange.request.method !== "GET") return answerError(exchange, 405, "Only GET is allowed here");
  await sessions.openLegacy(exchange);
}

/** Serves the messages of the old HTTP+SSE transport at `/messages`. */
export async function serveLegacyMessage(
  exchange: Exchange,
  sessions: HttpSessions,
  options: HttpTestServerOptions,
  beforeExecution: BeforeExecution,
): Promise<void> {
  const { request, response, url, body } = exchange;
  const session = sessions.findLegacy(url.searchParams.get("sessionId") ?? "");
  if (session === undefined) return answerUnknownSession(exchange, options);
  beforeExecution(session);
  await session.transport.handlePostMessage(request, response, body);
}

async function streamableSession(exchange: Exchange, sessions: HttpSessions, options: HttpTestServerOptions) {
  const { request, body } = exchange;
  if (options.stateless) {
    if (request.method === "POST") return sessions.openStreamable();
    answerError(exchange, 405, "A stateless server takes only POST", { allow: "POST" });
    return undefined;
  }
  const id = request.headers["mcp-session-id"];
  if (typeof id === "string") {
    const session = sessions.findStreamable(id);
    if (session === undefined) answerUnknownSession(exchange, options);
    return session;
  }
  if (request.method === "POST" && isInitializeRequest(body)) return sessions.openStreamable();
  answerError(exchange, 400, "Bad Request: Mcp-Session-Id header is required");
  return undefined;
}

function answerUnknownSession(exchange: Exchange, { unknownSessionStatus = 404 }: HttpTestServerOptions): void {
  answerError(exchange, unknownSessionStatus, "Session not found");
}
