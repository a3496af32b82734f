import {
  isInputRequiredResult,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type Transport,
  type TransportSendOptions,
} from "@modelcontextprotocol/client";
import type { Link } from "../v1/link.ts";
import type { MessageExchange } from "../v1/message-exchange.ts";
import { type Call, callOf } from "./call.ts";

/**
 * What the SDK's 2.x client takes for its transport. Messages that belong to a call of the pool go through the exchange
 * as requests of its own, so that their failures are judged; everything else passes.
 */
export class ClientTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport["onmessage"];
  /** The last message of the handshake that was sent: tells how far an opening came. */
  lastHandshake: "server/discover" | "initialize" | undefined;

  readonly #exchange: MessageExchange;
  readonly #link: Link;
  readonly #legs = new Set<Promise<void>>();

  constructor(exchange: MessageExchange, link: Link) {
    this.#exchange = exchange;
    this.#link = link;
    // By these the SDK knows that silence is an old server's answer to a probe; it never reads them.
    if (link.endpoint.transport === "stdio") Object.assign(this, { stderr: undefined, pid: undefined });
  }

  get hasPerRequestStream(): boolean {
    return (this.#link.transport as Transport).hasPerRequestStream === true;
  }

  get sessionId(): string | undefined {
    return this.#exchange.sessionId;
  }

  setProtocolVersion(version: string): void {
    this.#exchange.setProtocolVersion(version);
  }

  async start(): Promise<void> {
    this.#exchange.onmessage = (message) => this.onmessage?.(message as JSONRPCMessage);
    this.#exchange.onerror = (error) => this.onerror?.(error);
    // The client would fail its requests unjudged, so their own failures come first.
    this.#exchange.onclose = () => void Promise.allSettled(this.#legs).then(() => this.onclose?.());
    await this.#exchange.start();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if ("method" in message && "id" in message) {
      const { method } = message;
      if (method === "server/discover" || method === "initialize") this.lastHandshake = method;
      const call = callOf(message.params);
      if (call !== undefined) return this.#sendLeg(message, call, options?.headers);
    }
    return this.#exchange.send(message as Parameters<MessageExchange["send"]>[0], options as object);
  }

  close(): Promise<void> {
    return this.#exchange.close();
  }

  #sendLeg(message: JSONRPCRequest, call: Call, headers: TransportSendOptions["headers"]): Promise<void> {
    const leg = this.#exchangeLeg(message, call, headers);
    this.#legs.add(leg);
    const settled = (): void => void this.#legs.delete(leg);
    leg.then(settled, settled);
    return leg;
  }

  async #exchangeLeg(
    { id, method, params }: JSONRPCRequest,
    call: Call,
    headers: TransportSendOptions["headers"],
  ): Promise<void> {
    const { options } = call;
    const legOptions = headers === undefined ? options : { ...options, headers: { ...options.headers, ...headers } };
    call.legs++;
    call.openLegs++;
    let result: unknown;
    try {
      result = await this.#exchange.request(method, params, legOptions);
      call.hasBegun ||= isInputRequiredResult(result);
    } finally {
      call.openLegs--;
    }
    this.onmessage?.({ jsonrpc: "2.0", id, result } as JSONRPCMessage);
  }
}
