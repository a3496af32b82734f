import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createMcpHandler, type McpHttpHandler } from "@modelcontextprotocol/server";
import { Backend, type ModernServerOptions } from "./backend.ts";
import { createModernServer, RESOURCE_URI } from "./create-modern-server.ts";

/** A response that is under way. */
interface OpenResponse {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly response: ServerResponse;
}

/** Starts a server on 127.0.0.1 that speaks revision 2026-07-28, and those before it without sessions. */
export async function startModernHttpServer(options: ModernServerOptions = {}): Promise<ModernHttpServer> {
  const server = new ModernHttpServer(options);
  await server.start();
  return server;
}

/** A running server and the controls of what it does. */
export class ModernHttpServer {
  readonly backend: Backend;
  /** JSON-RPC requests that arrived, by method. */
  readonly requests: Map<string, number> = new Map();
  readonly #open = new Set<OpenResponse>();
  /** What becomes of the next requests of a method; without a status, nothing. */
  readonly #refusals: { readonly method: string; readonly status: number | undefined }[] = [];
  #server: Server | undefined;
  #handler: McpHttpHandler | undefined;
  #port = 0;

  constructor(options: ModernServerOptions) {
    this.backend = new Backend(options);
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}/mcp`);
  }

  /** Listens, on the same port as before if it did. */
  async start(): Promise<void> {
    const legacy = this.backend.options.modernOnly ? "reject" : "stateless";
    this.#handler = createMcpHandler(() => createModernServer(this.backend), { legacy, keepAliveMs: 0 });
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
  }

  /** Stops at once: no stream is ended in order. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }

  /** Ends the subscriptions as a server does that shuts down in order. */
  async endSubscriptions(): Promise<void> {
    await this.#handler?.close();
    this.#handler = createMcpHandler(() => createModernServer(this.backend), { keepAliveMs: 0 });
  }

  /** Cuts the responses of a method that are under way, and says how many there were. */
  cut(method: string): number {
    const cut = [...this.#open].filter((open) => open.method === method);
    for (const { response } of cut) response.destroy();
    return cut.length;
  }

  /** Responses under way to a method. */
  openResponses(method: string): number {
    return [...this.#open].filter((open) => open.method === method).length;
  }

  /** What the requests of a method asked for whose responses are under way. */
  openParams(method: string): readonly OpenResponse["params"][] {
    return [...this.#open].filter((open) => open.method === method).map(({ params }) => params);
  }

  /** Refuses the next request of a method with an HTTP status. */
  refuseNext(method: string, status: number): void {
    this.#refusals.push({ method, status });
  }

  /** Leaves the next request of a method without an answer. */
  holdNext(method: string): void {
    this.#refusals.push({ method, status: undefined });
  }

  /** Adds a tool, and says so to those who listen. */
  addTool(name: string): void {
    this.backend.addedTools.add(name);
    this.#handler?.notify.toolsChanged();
  }

  /** Changes the resource, and says so to those who listen. */
  changeResource(text: string): void {
    this.backend.resourceText = text;
    this.#handler?.notify.resourceUpdated(RESOURCE_URI);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { method, params } = messageIn(body);
    this.requests.set(method, (this.requests.get(method) ?? 0) + 1);
    const refusal = this.#refusals.findIndex((each) => each.method === method);
    if (refusal >= 0) {
      const status = this.#refusals.splice(refusal, 1)[0]?.status;
      if (status !== undefined) response.writeHead(status).end();
      return;
    }
    const open = { method, params, response };
    this.#open.add(open);
    const controller = new AbortController();
    response.once("close", () => {
      this.#open.delete(open);
      controller.abort();
    });
    const answer = await this.#handler?.fetch(
      new Request(new URL(request.url ?? "/", this.url), {
        method: request.method ?? "POST",
        headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        body: body.length === 0 ? null : body,
        signal: controller.signal,
      }),
    );
    if (answer === undefined) throw new Error("the server has no handler");
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body === null) response.end();
    else await pipeline(Readable.fromWeb(answer.body), response);
  }
}

function messageIn(body: Buffer): Pick<OpenResponse, "method" | "params"> {
  try {
    const message: unknown = JSON.parse(body.toString());
    if (typeof message !== "object" || message === null || !("method" in message)) return NO_REQUEST;
    const params = "params" in message ? (message.params as OpenResponse["params"]) : undefined;
    return { method: String(message.method), params };
  } catch {
    return NO_REQUEST;
  }
}

const NO_REQUEST = { method: "", params: undefined };
