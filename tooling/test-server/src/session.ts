import { randomUUID } from "node:crypto";
import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type InitializeRequest, isInitializeRequest, isJSONRPCRequest } from "@modelcontextprotocol/sdk/types.js";
import type { Backend } from "./backend.ts";

/** What one session knows: a process on stdio, one HTTP session, one in-memory pair. */
export class Session {
  readonly backend: Backend;
  readonly server: Server;
  readonly values: Map<string, string> = new Map();
  readonly subscriptions: Set<string> = new Set();
  readonly #id = randomUUID();
  #requestsSeen = 0;
  #initialize: InitializeRequest["params"] | undefined;

  constructor(backend: Backend, server: Server) {
    this.backend = backend;
    this.server = server;
  }

  /** How lists are cut into pages here. */
  get pages(): { readonly size: number | undefined; readonly giver: string } {
    const { pageSize, sessionCursors } = this.backend.options;
    return { size: pageSize, giver: sessionCursors ? `${this.#id}-` : "" };
  }

  /** Requests received so far, `initialize` included. */
  get requestsSeen(): number {
    return this.#requestsSeen;
  }

  /** What the client said of itself, once it has. */
  get initialize(): InitializeRequest["params"] | undefined {
    return this.#initialize;
  }

  /** Watches a transport before the SDK takes it over: `connect` keeps an `onmessage` that was there. */
  watch(transport: Transport): void {
    const earlier = transport.onmessage;
    transport.onmessage = (message, extra) => {
      if (isJSONRPCRequest(message)) this.#requestsSeen += 1;
      if (isInitializeRequest(message)) this.#initialize = message.params;
      earlier?.(message, extra);
    };
  }
}
