import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

/** The client's side, as the server's end sees it. */
export interface ClientEnd {
  /** Takes a message; what it throws is the sender's error. */
  received(message: JSONRPCMessage): void;
  closed(): void;
}

const DONE = Promise.resolve();

/**
 * The server's end of a connection within this process. It does what the SDK's in-memory transport does, and hands each
 * message over in the tick in which it is sent; but each end hears of the closing once.
 */
export class ServerEnd implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport["onmessage"]>;

  readonly #client: ClientEnd;
  /** Messages from before somebody listened. */
  #early: JSONRPCMessage[] = [];
  #isClosed = false;

  constructor(client: ClientEnd) {
    this.#client = client;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async start(): Promise<void> {
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.onmessage?.(message);
  }

  /** Takes a message of the client's; throws what the server's listener throws. */
  receive(message: JSONRPCMessage): void {
    if (this.onmessage === undefined) this.#early.push(message);
    else this.onmessage(message);
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error("the connection is closed"));
    try {
      this.#client.received(message);
      return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Closes both ends. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#client.closed();
    } finally {
      this.onclose?.();
    }
  }
}
