import type { ConnectRequest } from "@mcp-pool/core";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { ServerEnd } from "./server-end.ts";

/** The server's side of a connection; the SDK's `McpServer` and `Server` are such. */
export interface ConnectableServer {
  /** Takes the server's end of the connection. */
  connect(transport: Transport): Promise<void>;
}

/** Makes the server of one connection; a server object of the SDK serves one connection only. */
export type ServerFactory = (request: ConnectRequest) => ConnectableServer | Promise<ConnectableServer>;

/** The client's end of a connection within this process, which makes its server and connects it when it starts. */
export class ServedTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport["onmessage"]>;

  readonly #request: ConnectRequest;
  readonly #serverFactory: ServerFactory;
  readonly #far = new ServerEnd({
    received: (message) => this.onmessage?.(message),
    closed: () => this.onclose?.(),
  });

  constructor(request: ConnectRequest, serverFactory: ServerFactory) {
    this.#request = request;
    this.#serverFactory = serverFactory;
  }

  async start(): Promise<void> {
    const server = await this.#serverFactory(this.#request);
    // The connection was given up in the meantime; a server that never connected has nothing to close.
    if (this.#far.isClosed) throw new Error("closed before the server was made");
    await server.connect(this.#far);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.deliver(message);
  }

  get isClosed(): boolean {
    return this.#far.isClosed;
  }

  /** Hands a message to the server at once. */
  deliver(message: JSONRPCMessage): void {
    if (this.#far.isClosed) throw new Error("the connection is closed");
    this.#far.receive(message);
  }

  /** Closes both ends. */
  close(): Promise<void> {
    return this.#far.close();
  }
}
