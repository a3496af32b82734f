import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Exchange } from "./exchange.ts";

/** Which open responses to break, and how. */
export interface DropStreamsOptions {
  /** Breaks the streams that answer a request, those that listen (GET), or both. @default "all" */
  readonly which?: "all" | "request" | "listen";
  /** Destroys the socket, or ends the response as if it were complete. @default "destroy" */
  readonly how?: "destroy" | "end";
}

/** Knows the sockets and the unfinished MCP responses of an HTTP server. */
export class OpenResponses {
  readonly #sockets = new Set<Socket>();
  readonly #responses = new Map<ServerResponse, "request" | "listen">();
  #socketsOpened = 0;

  watchSockets(server: Server): void {
    server.on("connection", (socket) => {
      this.#socketsOpened += 1;
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  add({ request, response }: Exchange): void {
    this.#responses.set(response, request.method === "GET" ? "listen" : "request");
    response.once("close", () => this.#responses.delete(response));
  }

  get counts(): {
    readonly requests: number;
    readonly listening: number;
    readonly sockets: number;
    readonly socketsOpened: number;
  } {
    const kinds = [...this.#responses.values()];
    const listening = kinds.filter((kind) => kind === "listen").length;
    return {
      requests: kinds.length - listening,
      listening,
      sockets: this.#sockets.size,
      socketsOpened: this.#socketsOpened,
    };
  }

  /** Breaks open responses and returns how many there were. A response that has not begun cannot be ended, so it is destroyed. */
  drop({ which = "all", how = "destroy" }: DropStreamsOptions = {}): number {
    const concerned = [...this.#responses].filter(([, kind]) => which === "all" || which === kind);
    for (const [response] of concerned) {
      if (how === "end" && response.headersSent) response.end();
      else response.destroy();
    }
    return concerned.length;
  }

  async destroySockets(): Promise<void> {
    const sockets = [...this.#sockets];
    const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())));
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
  }
}
