import type { ConnectRequest } from "@mcp-pool/core";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage, MessageExtraInfo } from "@modelcontextprotocol/sdk/types.js";
import type { SdkParts } from "../sdk-binding.ts";

/** The server's side of a connection; the SDK's `McpServer` and `Server` are such. */
export interface ConnectableServer {
  /** Takes the server's end of the connection. */
  connect(transport: Transport): Promise<void>;
}

/** Makes the server of one connection; a server object of the SDK serves one connection only. */
export type ServerFactory = (request: ConnectRequest) => ConnectableServer | Promise<ConnectableServer>;

/** The client's end of a linked pair, which makes its server and connects it when it starts. */
export class ServedTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;

  readonly #request: ConnectRequest;
  readonly #serverFactory: ServerFactory;
  readonly #near: Transport;
  readonly #far: Transport;
  #hasClosed = false;

  constructor(sdk: SdkParts, request: ConnectRequest, serverFactory: ServerFactory) {
    this.#request = request;
    this.#serverFactory = serverFactory;
    [this.#near, this.#far] = sdk.inMemoryPair();
    this.#near.onclose = () => this.#closed();
    this.#near.onerror = (error) => this.onerror?.(error);
    this.#near.onmessage = (message, extra) => this.onmessage?.(message, extra);
  }

  async start(): Promise<void> {
    const server = await this.#serverFactory(this.#request);
    // The connection was given up in the meantime; a server that never connected has nothing to close.
    if (this.#hasClosed) throw new Error("closed before the server was made");
    await server.connect(this.#far);
    await this.#near.start();
  }

  send(message: JSONRPCMessage): Promise<void> {
    return this.#near.send(message);
  }

  /** Closes both ends. */
  async close(): Promise<void> {
    await this.#near.close();
    this.#closed();
  }

  /** The pair reports a closing at one end twice at the other. */
  #closed(): void {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    this.onclose?.();
  }
}
