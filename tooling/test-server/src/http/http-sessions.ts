import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { Backend } from "../backend.ts";
import { serverOf } from "../create-test-server.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpTestServerOptions } from "./http-test-server-options.ts";
import { type LostAnswers, loseAnswers } from "./lose-answers.ts";
import { memoryEventStore } from "./memory-event-store.ts";

/** One client's session over one of the HTTP transports. */
export interface HttpSession<Kind extends Transport = Transport> {
  readonly transport: Kind;
  readonly server: Server;
  readonly lostAnswers: LostAnswers;
  /** The response that carries every answer; undefined where each request's own response carries its answer. */
  readonly carrier: ServerResponse | undefined;
}

/** How many sessions there were and are. */
export interface SessionCounts {
  readonly opened: number;
  readonly closed: number;
  readonly live: number;
}

/** Opens, finds and forgets the sessions of an HTTP server. */
export class HttpSessions {
  readonly #backend: Backend;
  readonly #options: HttpTestServerOptions;
  readonly #streamable = new Map<string, HttpSession<StreamableHTTPServerTransport>>();
  readonly #legacy = new Map<string, HttpSession<SSEServerTransport>>();
  // Forgotten sessions still answer what they were asked before.
  readonly #unclosed = new Set<HttpSession>();
  #opened = 0;

  constructor(backend: Backend, options: HttpTestServerOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  get counts(): SessionCounts {
    const live = this.#streamable.size + this.#legacy.size;
    return { opened: this.#opened, closed: this.#opened - live, live };
  }

  get ids(): readonly string[] {
    return [...this.#streamable.keys(), ...this.#legacy.keys()];
  }

  findStreamable(id: string): HttpSession<StreamableHTTPServerTransport> | undefined {
    return this.#streamable.get(id);
  }

  findLegacy(id: string): HttpSession<SSEServerTransport> | undefined {
    return this.#legacy.get(id);
  }

  /** Opens a session, which gets its id when the transport meets its `initialize`; a stateless one never does. */
  async openStreamable(): Promise<HttpSession<StreamableHTTPServerTransport>> {
    const { stateless = false, jsonResponse = false, resumable = false } = this.#options;
    const transport = new StreamableHTTPServerTransport({
      ...(!stateless && { sessionIdGenerator: randomUUID }),
      ...(resumable && { eventStore: memoryEventStore(), retryInterval: 10 }),
      enableJsonResponse: jsonResponse,
      onsessioninitialized: (id) => {
        this.#opened += 1;
        this.#streamable.set(id, session);
      },
    });
    const session = this.#prepare(transport);
    await session.server.connect(transport);
    return session;
  }

  async openLegacy({ response }: Exchange): Promise<HttpSession<SSEServerTransport>> {
    const transport = new SSEServerTransport("/messages", response);
    const session = this.#prepare(transport, response);
    this.#opened += 1;
    this.#legacy.set(transport.sessionId, session);
    await session.server.connect(transport);
    return session;
  }

  /** Forgets every session: what was asked before is still answered, every later request meets an unknown session. */
  expire(): number {
    const forgotten = this.counts.live;
    this.#streamable.clear();
    this.#legacy.clear();
    return forgotten;
  }

  async close(): Promise<void> {
    this.expire();
    await Promise.all([...this.#unclosed].map((session) => session.server.close()));
  }

  #prepare<Kind extends Transport>(transport: Kind, carrier?: ServerResponse): HttpSession<Kind> {
    const session = { transport, server: serverOf(this.#backend), lostAnswers: loseAnswers(transport), carrier };
    this.#unclosed.add(session);
    transport.onclose = () => {
      this.#unclosed.delete(session);
      this.#streamable.delete(transport.sessionId ?? "");
      this.#legacy.delete(transport.sessionId ?? "");
    };
    return session;
  }
}
