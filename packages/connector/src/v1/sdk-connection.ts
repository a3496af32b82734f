import {
  type CloseReason,
  type ConnectionEndpoint,
  type ConnectionEvent,
  type ConnectionRequestOptions,
  type McpConnection,
  RequestFailure,
  type ServerDescription,
  type ServerNotification,
  type Unsubscribe,
} from "@mcp-pool/core";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { ListenerSet } from "../renewal/listener-set.ts";
import type { Link } from "./link.ts";
import { MessageExchange } from "./message-exchange.ts";

/** A connection over the SDK's 1.x client. */
export class SdkConnection implements McpConnection {
  readonly era = "legacy";
  readonly raw: Client;
  readonly suggestedConcurrency: number;
  readonly exchange: MessageExchange;

  readonly #link: Link;
  readonly #closedListeners = new Set<(cause: Error | undefined) => void>();
  readonly #eventListeners = new ListenerSet<ConnectionEvent>();
  #isListening = false;
  #lost: { readonly cause: Error | undefined } | undefined;
  #server: ServerDescription | undefined;
  #isOpen = false;
  #isClosing = false;

  constructor(client: Client, link: Link, suggestedConcurrency: number) {
    this.raw = client;
    this.suggestedConcurrency = suggestedConcurrency;
    this.exchange = new MessageExchange(link, () => this.#ended());
    this.#link = link;
  }

  get server(): ServerDescription {
    this.#server ??= describeServer(this.raw, this.exchange.protocolVersion);
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
    return this.exchange.request(method, params, options);
  }

  async probe(signal: AbortSignal): Promise<void> {
    try {
      await this.exchange.request("ping", undefined, { signal });
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
  opened(): void {
    this.#isOpen = true;
  }

  async #ended(): Promise<void> {
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
  return error.cause instanceof McpError && error.cause.code === ErrorCode.MethodNotFound;
}

function describeServer(client: Client, protocolVersion: string | undefined): ServerDescription {
  const info = client.getServerVersion();
  return {
    name: info?.name ?? "",
    version: info?.version ?? "",
    protocolVersion,
    instructions: client.getInstructions(),
    capabilities: client.getServerCapabilities() ?? {},
  };
}
