import type { ConnectRequest } from "@mcp-pool/core";
import { Client, type ClientCapabilities, type PriorDiscovery, type Transport } from "@modelcontextprotocol/client";
import { announcedCapabilities } from "../v1/announced-capabilities.ts";
import type { Link } from "../v1/link.ts";
import type { MessageExchange } from "../v1/message-exchange.ts";
import type { EraProtocol, SdkClient } from "../v1/sdk-connection.ts";
import { answerRequests } from "./client-requests.ts";
import { ClientTransport } from "./client-transport.ts";
import { ModernProtocol } from "./modern-protocol.ts";
import type { ServerSdkV2 } from "./server-sdk-v2.ts";
import type { Borrower } from "./subscription-hub.ts";

/** Pages of a list that are fetched at most. */
const MAX_PAGES = 1_024;
const MAX_TIMEOUT_MS = 2_147_483_647;

/** The SDK's 2.x client for one connection, which finds out or knows which era its server speaks. */
export class NegotiatingClient implements SdkClient {
  readonly raw: Client;
  readonly #server: ServerSdkV2;
  readonly #link: Link;
  readonly #request: ConnectRequest;
  readonly #key: string;
  readonly #prior: PriorDiscovery | undefined;
  #transport: ClientTransport | undefined;

  constructor(server: ServerSdkV2, link: Link, request: ConnectRequest, key: string) {
    this.#server = server;
    this.#link = link;
    this.#request = request;
    this.#key = key;
    this.#prior = priorFor(server, link, key);
    const { clientInfo } = server.clientSettings;
    const { handlers } = request;
    this.raw = new Client(clientInfo, {
      capabilities: this.#capabilities as ClientCapabilities,
      versionNegotiation: {
        mode: server.settings.mode,
        probe: { timeoutMs: probeTimeoutMs(server, link, request) },
      },
      responseCacheStore: server.responses,
      cachePartition: key,
      listMaxPages: MAX_PAGES,
    });
    if (handlers !== undefined) answerRequests(this.raw, handlers, request);
  }

  /** Whether the server process ended by itself when it was asked for its era. */
  get diedOfProbe(): boolean {
    const { settings } = this.#server;
    if (settings.mode !== "auto" || this.#link.endpoint.transport !== "stdio") return false;
    return this.#transport?.lastHandshake === "server/discover" && this.#link.lostCause() !== undefined;
  }

  async connect(exchange: object): Promise<void> {
    this.#transport = new ClientTransport(exchange as MessageExchange, this.#link);
    const prior = this.#prior !== undefined && { prior: this.#prior };
    await this.raw.connect(this.#transport, { timeout: MAX_TIMEOUT_MS, ...prior });
  }

  /** Notes which era the server speaks. */
  remember(): void {
    const discover = this.raw.getDiscoverResult();
    if (this.#prior !== undefined || this.#link.endpoint.transport === "sse") return;
    if (discover !== undefined) this.#server.eras.remember(this.#key, { kind: "modern", discover });
    else if (this.#server.settings.mode === "auto") this.#server.eras.remember(this.#key, { kind: "legacy" });
  }

  getServerVersion(): ReturnType<Client["getServerVersion"]> {
    return this.raw.getServerVersion();
  }

  getServerCapabilities(): ReturnType<Client["getServerCapabilities"]> {
    return this.raw.getServerCapabilities();
  }

  getInstructions(): string | undefined {
    return this.raw.getInstructions();
  }

  modernProtocol(exchange: MessageExchange): EraProtocol | undefined {
    const client = this.raw;
    if (client.getProtocolEra() !== "modern") return undefined;
    const closesToCancel = (this.#link.transport as Transport).hasPerRequestStream === true;
    exchange.cancellation = closesToCancel ? { kind: "closing" } : { kind: "message" };
    const { tools, hub } = this.#server.contextFor(this.#key, this.#link);
    const borrower: Borrower = {
      client,
      onNotification: (listener) => exchange.onNotification(listener),
      deliver: (notification) => exchange.deliver(notification),
    };
    const { serverName, identity } = this.#request;
    return new ModernProtocol({
      client,
      exchange,
      capabilities: this.#capabilities,
      tools,
      subscriber: hub.join(borrower),
      audience: { serverName, identity },
      forgetEra: () => this.#server.eras.forget(this.#key),
    });
  }

  get #capabilities(): ReturnType<typeof announcedCapabilities> {
    return announcedCapabilities(this.#request.handlers, this.#server.clientSettings.capabilities);
  }
}

/** A process that speaks the modern era is asked all the same: its answer tells that it is up, and costs next to nothing. */
function priorFor({ eras, settings }: ServerSdkV2, link: Link, key: string): PriorDiscovery | undefined {
  if (settings.mode === "legacy" || link.endpoint.transport === "sse") return { kind: "legacy" };
  const known = eras.recall(key);
  return known?.kind === "modern" && link.endpoint.transport === "stdio" ? undefined : known;
}

/** Silence says something of a process only; over a network it is an outage, which the time for the connect is for. */
function probeTimeoutMs({ settings }: ServerSdkV2, link: Link, request: ConnectRequest): number {
  if (link.endpoint.transport !== "stdio" || settings.mode !== "auto") return MAX_TIMEOUT_MS;
  return settings.probeTimeoutMs ?? request.timeoutMs / 2;
}
