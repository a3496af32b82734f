import { createServer, type Server as HttpServer, type ServerResponse } from "node:http";
import { Backend } from "../backend.ts";
import { serveControl } from "./control-routes.ts";
import { answerError, type Exchange, methodsOf, readExchange } from "./exchange.ts";
import { type Fault, FaultQueue, type FaultTarget } from "./fault-queue.ts";
import type { FailNextOptions, HttpControls, HttpStats, LoseNextOptions } from "./http-controls.ts";
import { type HttpSession, HttpSessions } from "./http-sessions.ts";
import type { HttpTestServerOptions } from "./http-test-server-options.ts";
import { requestIdsOf } from "./lose-answers.ts";
import { serveLegacyMessage, serveLegacyStream, serveStreamable } from "./mcp-routes.ts";
import { type DropStreamsOptions, OpenResponses } from "./open-responses.ts";

/** Time between two drops of a stream that holds no answer, in milliseconds. */
const DRIP_MS = 20;

/** Starts a test server on 127.0.0.1 that speaks Streamable HTTP at `/mcp` and the old HTTP+SSE at `/sse`. */
export async function startHttpTestServer(options: HttpTestServerOptions = {}): Promise<HttpTestServer> {
  const httpServer = createServer();
  await new Promise<void>((resolve, reject) => {
    httpServer.once("error", reject);
    httpServer.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  return new HttpTestServer(httpServer, options);
}

/** A running test server and the controls of what it does next. */
export class HttpTestServer implements HttpControls {
  readonly port: number;
  /** Where Streamable HTTP is served. */
  readonly url: URL;
  /** Where the old HTTP+SSE transport is served. */
  readonly sseUrl: URL;
  readonly #httpServer: HttpServer;
  readonly #options: HttpTestServerOptions;
  readonly #backend: Backend;
  readonly #sessions: HttpSessions;
  readonly #faults = new FaultQueue();
  readonly #open = new OpenResponses();
  readonly #requests = new Map<string, number>();
  readonly #httpRequests = new Map<string, number>();
  #bearerToken: string | undefined;

  constructor(httpServer: HttpServer, options: HttpTestServerOptions) {
    const address = httpServer.address();
    if (address === null || typeof address === "string") throw new Error("The HTTP server does not listen on a port");
    this.port = address.port;
    this.url = new URL(`http://127.0.0.1:${address.port}/mcp`);
    this.sseUrl = new URL("/sse", this.url);
    this.#httpServer = httpServer;
    this.#options = options;
    this.#backend = new Backend(options);
    this.#sessions = new HttpSessions(this.#backend, options);
    this.#bearerToken = options.bearerToken;
    this.#open.watchSockets(httpServer);
    httpServer.on("request", (request, response) => {
      readExchange(request, response)
        .then((exchange) => this.#serve(exchange))
        .catch(() => response.destroy());
    });
  }

  stats(): HttpStats {
    const { sockets, socketsOpened, requests, listening } = this.#open.counts;
    return {
      sessions: this.#sessions.counts,
      sessionIds: this.#sessions.ids,
      requests: Object.fromEntries(this.#requests),
      httpRequests: Object.fromEntries(this.#httpRequests),
      sockets: { open: sockets, opened: socketsOpened },
      responses: { requests, listening },
      executions: this.#backend.ledger.counts(),
    };
  }

  expireSessions(): number {
    return this.#sessions.expire();
  }

  failNext({ status, retryAfter, rpcCode, ...target }: FailNextOptions): void {
    this.#faults.add(
      { kind: "status", status, retryAfter: retryAfter === undefined ? undefined : String(retryAfter), rpcCode },
      target,
    );
  }

  dripNext(target: FaultTarget = {}): void {
    this.#faults.add({ kind: "drip" }, target);
  }

  resetNext({ when = "before", ...target }: LoseNextOptions = {}): void {
    this.#faults.add({ kind: "reset", when }, target);
  }

  hangNext({ when = "before", ...target }: LoseNextOptions = {}): void {
    this.#faults.add({ kind: "hang", when }, target);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  dropStreams(options: DropStreamsOptions = {}): number {
    return this.#open.drop(options);
  }

  requireBearerToken(token: string | undefined): void {
    this.#bearerToken = token;
  }

  /** Ends every session and every socket, and stops listening. */
  async close(): Promise<void> {
    this.#backend.close();
    const closed = new Promise<void>((resolve) => this.#httpServer.close(() => resolve()));
    await this.#sessions.close();
    await this.#open.destroySockets();
    await closed;
  }

  async #serve(exchange: Exchange): Promise<void> {
    if (exchange.url.pathname.startsWith("/control/")) return serveControl(exchange, this);
    const { request, body } = exchange;
    this.#open.add(exchange);
    const methods = methodsOf(body);
    countUp(this.#httpRequests, request.method ?? "unknown");
    for (const method of methods) countUp(this.#requests, method);
    const fault = this.#faults.take(request.method, methods);
    if (fault !== undefined && meetsBefore(fault, exchange)) return;
    if (this.#bearerToken !== undefined && request.headers.authorization !== `Bearer ${this.#bearerToken}`) {
      return answerError(exchange, 401, "Unauthorized", { "www-authenticate": "Bearer" });
    }
    const beforeExecution = (session: HttpSession): void => {
      if (fault !== undefined) loseAnswersOf(exchange, session, fault);
    };
    switch (exchange.url.pathname) {
      case "/mcp":
        return serveStreamable(exchange, this.#sessions, this.#options, beforeExecution);
      case "/sse":
        return serveLegacyStream(exchange, this.#sessions);
      case "/messages":
        return serveLegacyMessage(exchange, this.#sessions, this.#options, beforeExecution);
      default:
        return answerError(exchange, 404, `Nothing is served at ${exchange.url.pathname}`);
    }
  }
}

/** Applies a fault that keeps the request from being executed; tells whether it was one. */
function meetsBefore(fault: Fault, exchange: Exchange): boolean {
  if (fault.kind === "status") {
    const headers: Record<string, string> = fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter };
    const message = `Failed on request with ${fault.status}`;
    if (fault.rpcCode === undefined) answerError(exchange, fault.status, message, headers);
    else answerRpcError(exchange, fault.status, fault.rpcCode, message);
    return true;
  }
  if (fault.kind === "drip") {
    drip(exchange.response);
    return true;
  }
  if (fault.when === "after") return false;
  if (fault.kind === "reset") exchange.response.destroy();
  return true;
}

function loseAnswersOf(
  { response, body }: Exchange,
  { lostAnswers, carrier = response }: HttpSession,
  fault: Fault,
): void {
  for (const id of requestIdsOf(body)) {
    lostAnswers.set(id, () => {
      if (fault.kind === "reset") carrier.destroy();
    });
  }
}

function answerRpcError({ response, body }: Exchange, status: number, code: number, message: string): void {
  const [id = null] = requestIdsOf(body);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } }));
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const timer = setInterval(() => response.write(": drip\n\n"), DRIP_MS);
  response.once("close", () => clearInterval(timer));
}

function countUp(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
