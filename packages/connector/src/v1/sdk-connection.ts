import {
  type ClientNotification,
  type CloseReason,
  type ConnectionEndpoint,
  type ConnectionEvent,
  type ConnectionRequestOptions,
  type McpConnection,
  RequestFailure,
  type ServerDescription,
  type ServerNotification,
  type StartRequest,
  type Unsubscribe,
} from "@mcp-pool/core";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ListenerSet } from "../renewal/listener-set.ts";
import { whileWanted } from "../while-wanted.ts";
import type { Link } from "./link.ts";
import { MessageExchange } from "./message-exchange.ts";

/** JSON-RPC's "method not found". */
const METHOD_NOT_FOUND = -32_601;

/** What a connection needs of an SDK's client. */
export interface SdkClient {
  connect(transport: Transport, options: { readonly timeout: number }): Promise<void>;
  getServerVersion(): { readonly name: string; readonly version: string } | undefined;
  getServerCapabilities(): object | undefined;
  getInstructions(): string | undefined;
  /** Says how requests travel once the handshake is done, where that is not the way of the legacy era. */
  modernProtocol?(exchange: MessageExchange): EraProtocol | undefined;
}

/** How a connection speaks to its server. */
export interface EraProtocol extends Pick<McpConnection, "request" | "probe"> {
  /** Is told that the connection closes or has ended. */
  end(): void;
}

/** A connection over an SDK's client. */
export class SdkConnection implements McpConnection {
  readonly raw: unknown;
  readonly suggestedConcurrency: number;
  readonly exchange: MessageExchange;
  /** There in the legacy era, whose requests the exchange sends as they are. */
  startRequest: StartRequest | undefined;

  readonly #client: SdkClient;
  readonly #link: Link;
  readonly #closedListeners = new Set<(cause: Error | undefined) => void>();
  readonly #eventListeners = new ListenerSet<ConnectionEvent>();
  #isListening = false;
  #lost: { readonly cause: Error | undefined } | undefined;
  #server: ServerDescription | undefined;
  #isOpen = false;
  /** Set in the modern era. */
  #modern: EraProtocol | undefined;
  #isClosing = false;

  constructor(client: SdkClient, raw: unknown, link: Link, suggestedConcurrency: number) {
    this.#client = client;
    this.raw = raw;
    this.suggestedConcurrency = suggestedConcurrency;
    this.exchange = new MessageExchange(link, () => this.#ended());
    this.#link = link;
  }

  get era(): McpConnection["era"] {
    return this.#modern === undefined ? "legacy" : "modern";
  }

  get server(): ServerDescription {
    this.#server ??= describeServer(this.#client, this.exchange.protocolVersion);
    return this.#server;
  }

  get endpoint(): ConnectionEndpoint {
    return this.#link.endpoint;
  }

  request(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: ConnectionRequestOptions,
  ): Promise<unknown> {
    return (this.#modern ?? this.exchange).request(method, params, options);
  }

  /** Clients send such notifications in the legacy era only. */
  async sendNotification({ method, params }: ClientNotification, signal: AbortSignal): Promise<void> {
    if (this.#modern !== undefined) return;
    if (this.exchange.hasEnded) throw new RequestFailure("not-sent", "the connection is closed");
    const sending = this.exchange.send({ jsonrpc: "2.0", method, ...(params !== undefined && { params }) });
    await whileWanted(sending, signal);
  }

  async probe(signal: AbortSignal): Promise<void> {
    try {
      await (this.#modern?.probe(signal) ?? this.exchange.request("ping", undefined, { signal }));
    } catch (error) {
      if (!isMethodNotFound(error)) throw error;
    }
  }

  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe {
    return this.exchange.onNotification(listener);
  }

  onClosed(listener: (cause: Error | undefined) => void): Unsubscribe {
    const own = (cause: Error | undefined): void => listener(cause);
    if (this.#lost !== undefined) own(this.#lost.cause);
    else this.#closedListeners.add(own);
    return () => void this.#closedListeners.delete(own);
  }

  onEvent(listener: (event: ConnectionEvent) => void): Unsubscribe {
    const unsubscribe = this.#eventListeners.add(listener);
    if (!this.#isListening) {
      this.#isListening = true;
      this.#link.listen?.((event) => this.#eventListeners.tell(event));
    }
    return unsubscribe;
  }

  close(_reason: CloseReason): Promise<void> {
    this.#isClosing = true;
    return this.exchange.close();
  }

  /** Notes that the handshake is done. */
  opened(modern: EraProtocol | undefined): void {
    this.#isOpen = true;
    this.#modern = modern;
    const { exchange } = this;
    if (modern === undefined) this.startRequest = (...request) => exchange.startRequest(...request);
  }

  async #ended(): Promise<void> {
    this.#modern?.end();
    if (!this.#isClosing) this.#tellLost();
    try {
      await this.#link.end(this.#isOpen ? "polite" : "hurried");
    } catch (error) {
      this.exchange.onerror?.(new Error("closing failed", { cause: error }));
    }
  }

  #tellLost(): void {
    const cause = this.#link.lostCause();
    this.#lost = { cause };
    for (const listener of this.#closedListeners) {
      try {
        listener(cause);
      } catch (error) {
        this.exchange.onerror?.(new Error("a listener threw", { cause: error }));
      }
    }
    this.#closedListeners.clear();
  }
}

function isMethodNotFound(error: unknown): boolean {
  if (!(error instanceof RequestFailure) || error.judgement !== "answered") return false;
  return error.cause instanceof Error && "code" in error.cause && error.cause.code === METHOD_NOT_FOUND;
}

function describeServer(client: SdkClient, protocolVersion: string | undefined): ServerDescription {
  const info = client.getServerVersion();
  return {
    name: info?.name ?? "",
    version: info?.version ?? "",
    protocolVersion,
    instructions: client.getInstructions(),
    capabilities: { ...client.getServerCapabilities() },
  };
}
