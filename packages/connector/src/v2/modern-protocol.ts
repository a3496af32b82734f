import {
  type ClientHandlers,
  type ConnectionRequestOptions,
  type HandlerContext,
  type Judgement,
  RequestFailure,
} from "@mcp-pool/core";
import { CLIENT_CAPABILITIES_META_KEY, type Client, LOG_LEVEL_META_KEY, type Tool } from "@modelcontextprotocol/client";
import { announcedCapabilities } from "../v1/announced-capabilities.ts";
import type { ClientSettings } from "../v1/client-options.ts";
import type { MessageExchange } from "../v1/message-exchange.ts";
import type { EraProtocol } from "../v1/sdk-connection.ts";
import { Call } from "./call.ts";
import { runRounds } from "./input-rounds.ts";
import type { ResourceSubscriber } from "./subscription-hub.ts";
import type { ToolDefinitions } from "./tool-definitions.ts";

/** What requests of the modern era need. */
export interface ModernParts {
  readonly client: Client;
  readonly exchange: MessageExchange;
  /** What the connection announces. */
  readonly capabilities: ClientSettings["capabilities"];
  readonly tools: ToolDefinitions;
  readonly subscriber: ResourceSubscriber;
  /** For whom handlers answer. */
  readonly audience: Omit<HandlerContext, "signal">;
  /** Forgets that the server speaks the modern era. */
  forgetEra(): void;
}

type Params = Readonly<Record<string, unknown>>;

/** The SDK's timers never fire before the pool's deadlines, whose signals end every request. */
const NO_TIMEOUT = { timeout: 2_147_483_647 } as const;
const HEADER_MISMATCH = -32_020;
const UNSUPPORTED_VERSION = -32_022;
/** Statuses with which servers of the legacy era refuse what has no session, or no such address. */
const LEGACY_STATUSES: ReadonlySet<number> = new Set([400, 404, 405]);
const REFUSALS: ReadonlySet<Judgement> = new Set(["answered", "not-sent"]);
/** Time for a server to prove that it speaks the era that it spoke. */
const DOUBT_MS = 10_000;
/** Time for listing the tools anew, when a call lacked a header that the server wants. */
const RELIST_MS = 30_000;

/** Results pass as they are, since the pool's client checks them. */
const ANYTHING = {
  "~standard": { version: 1, vendor: "mcp-pool", validate: (value: unknown) => ({ value }) },
} as const;

/** Speaks protocol revision 2026-07-28: requests go through the SDK's client, which knows their envelope and its cache. */
export class ModernProtocol implements EraProtocol {
  readonly #parts: ModernParts;
  #logLevel: unknown;
  #isDoubting = false;

  constructor(parts: ModernParts) {
    this.#parts = parts;
  }

  request(method: string, params: Params | undefined, options: ConnectionRequestOptions): Promise<unknown> {
    const { exchange, subscriber } = this.#parts;
    // It rejects as it should.
    if (options.signal.aborted || exchange.hasEnded) return exchange.request(method, params, options);
    switch (method) {
      case "ping":
        return this.probe(options.signal).then(() => ({}));
      case "logging/setLevel":
        this.#logLevel = params?.level;
        return Promise.resolve({});
      case "resources/subscribe":
        return subscriber.subscribe(String(params?.uri), options.signal);
      case "resources/unsubscribe":
        return subscriber.unsubscribe(String(params?.uri));
      default: {
        const call = new Call(options);
        const marked = this.#withMeta(params, options);
        return carry(call, exchange, (signal) => this.#send(method, marked, call, signal)).catch((error: unknown) => {
          if (isOutOfEra(error)) this.#doubt();
          throw error;
        });
      }
    }
  }

  /** Has the server describe itself: there is no `ping` any more. */
  async probe(signal: AbortSignal): Promise<void> {
    const call = new Call({ signal });
    await carry(call, this.#parts.exchange, (flow) => this.#plain("server/discover", {}, call, flow));
  }

  end(): void {
    this.#parts.subscriber.leave();
  }

  /**
   * A server that went back to an older protocol refuses everything from here on, and over HTTP no connection ends by
   * itself. If it cannot describe itself any more, this one ends, and the next one finds out anew.
   */
  #doubt(): void {
    const { exchange, forgetEra } = this.#parts;
    if (this.#isDoubting) return;
    this.#isDoubting = true;
    const settled = (): void => {
      this.#isDoubting = false;
    };
    this.probe(AbortSignal.timeout(DOUBT_MS)).then(settled, (error: unknown) => {
      settled();
      if (!(error instanceof RequestFailure) || !REFUSALS.has(error.judgement)) return;
      forgetEra();
      void exchange.close();
    });
  }

  #send(method: string, params: Params | undefined, call: Call, signal: AbortSignal): Promise<unknown> {
    const { client } = this.#parts;
    // Headers of one request may hold other credentials than the connection's, and the cache is the connection's.
    const cacheMode = call.options.headers === undefined ? "use" : "bypass";
    const options = { ...NO_TIMEOUT, signal, cacheMode } as const;
    const capabilities = client.getServerCapabilities() ?? {};
    const marked = call.mark(params);
    switch (method) {
      case "tools/call":
        return this.#inRounds(params, call, signal, (next) => this.#callTool(next, call, signal));
      case "prompts/get":
        return this.#inRounds(params, call, signal, (next) => this.#plain(method, next, call, signal));
      case "resources/read":
        return this.#inRounds(params, call, signal, (next) =>
          next === params
            ? client.readResource(call.mark(next as { uri: string }), { ...options, ...manual(call) })
            : this.#plain(method, next, call, signal),
        );
      case "tools/list":
        if (capabilities.tools !== undefined) return this.#listTools(marked, options);
        break;
      case "prompts/list":
        if (capabilities.prompts !== undefined) return client.listPrompts(marked, options);
        break;
      case "resources/list":
        if (capabilities.resources !== undefined) return client.listResources(marked, options);
        break;
      case "resources/templates/list":
        if (capabilities.resources !== undefined) return client.listResourceTemplates(marked, options);
        break;
    }
    return this.#plain(method, params, call, signal);
  }

  #plain(method: string, params: Params | undefined, call: Call, signal: AbortSignal): Promise<unknown> {
    const request = { method, params: call.mark(params) };
    return this.#parts.client.request(request, ANYTHING, { ...NO_TIMEOUT, signal, ...manual(call) });
  }

  async #listTools(params: object, options: NonNullable<Parameters<Client["listTools"]>[1]>): Promise<unknown> {
    const { client, tools } = this.#parts;
    const result = await client.listTools(params, options);
    if (options.cacheMode !== "bypass") tools.learn(result.tools);
    return result;
  }

  /** The SDK's client adds the headers that the tool's definition asks for. */
  async #callTool(params: Params, call: Call, signal: AbortSignal): Promise<unknown> {
    const { client, tools } = this.#parts;
    const name = String(params.name);
    const send = (known: Tool | undefined): Promise<unknown> => {
      const toolDefinition = known ?? { name, inputSchema: { type: "object" } };
      const marked = call.mark(params as { name: string });
      return client.callTool(marked, { ...NO_TIMEOUT, signal, toolDefinition, ...manual(call) });
    };
    const known = tools.of(name);
    try {
      return await send(known);
    } catch (error) {
      if (rpcCodeOf(error) !== HEADER_MISMATCH) throw error;
      // The server refused it before it ran, because the definition is stale or unknown.
      if (tools.of(name) === known) await tools.relist(() => this.#relist());
      return await send(tools.of(name));
    }
  }

  #relist(): Promise<unknown> {
    const call = new Call({ signal: AbortSignal.timeout(RELIST_MS) });
    return this.#listTools(call.mark({}), { ...NO_TIMEOUT, cacheMode: "refresh" });
  }

  /** Without handlers of the call, the SDK's client answers with those that are registered on it. */
  #inRounds(
    params: Params | undefined,
    call: Call,
    signal: AbortSignal,
    send: (params: Params) => Promise<unknown>,
  ): Promise<unknown> {
    const { handlers } = call.options;
    if (params === undefined || handlers === undefined) return send(params ?? {});
    return runRounds(params, send, handlers, { ...this.#parts.audience, signal });
  }

  /** Adds what this one request announces beyond its connection. */
  #withMeta(params: Params | undefined, { handlers }: ConnectionRequestOptions): Params | undefined {
    if (handlers === undefined && this.#logLevel === undefined) return params;
    const meta = params?._meta;
    return {
      ...params,
      _meta: {
        ...(this.#logLevel !== undefined && { [LOG_LEVEL_META_KEY]: this.#logLevel }),
        ...(handlers !== undefined && { [CLIENT_CAPABILITIES_META_KEY]: this.#capabilitiesOf(handlers) }),
        ...(typeof meta === "object" && meta),
      },
    };
  }

  #capabilitiesOf(handlers: ClientHandlers): object {
    return announcedCapabilities(handlers, this.#parts.capabilities);
  }
}

/** Carries a call through the SDK's client, and judges what it fails with. */
async function carry(
  call: Call,
  exchange: MessageExchange,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<unknown> {
  const { signal } = call.options;
  const flow = new AbortController();
  let abort: () => void = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      // A message that is under way is abandoned by the exchange, which knows what may still come.
      if (call.openLegs > 0) return;
      flow.abort(signal.reason);
      reject(new RequestFailure("aborted", "aborted", { cause: signal.reason }));
    };
  });
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work(flow.signal), aborted]);
  } catch (error) {
    const failure = error instanceof RequestFailure ? error : judgeClientError(error, call, exchange.hasEnded);
    throw call.hasBegun ? latched(failure) : failure;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Judges an error of the SDK's own making. While a message is under way, the SDK may notice before we do that its answer is
 * lost; else the server has answered, and the SDK or a handler would not have it.
 */
function judgeClientError(cause: unknown, call: Call, hasEnded: boolean): RequestFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (call.openLegs > 0) return new RequestFailure("outcome-unknown", message, { cause });
  if (call.legs === 0 && hasEnded) return new RequestFailure("not-sent", "the connection is closed", { cause });
  return new RequestFailure("answered", message, { cause });
}

/** The rounds before may have left something behind, so the whole is not known to be undone. */
function latched(failure: RequestFailure): RequestFailure {
  const { judgement, message, cause, retryAfterMs } = failure;
  if (judgement !== "not-sent" && judgement !== "overloaded" && judgement !== "session-lost") return failure;
  return new RequestFailure("outcome-unknown", `${message}, after a round of input`, { cause, retryAfterMs });
}

/** Has the SDK hand input requests over instead of answering them itself. */
function manual(call: Call): { allowInputRequired?: true } {
  return call.options.handlers === undefined ? {} : { allowInputRequired: true };
}

/** Whether a refusal is one that servers of the legacy era have for messages of the modern one. */
function isOutOfEra(error: unknown): boolean {
  if (!(error instanceof RequestFailure) || !REFUSALS.has(error.judgement)) return false;
  return LEGACY_STATUSES.has(error.httpStatus ?? 0) || rpcCodeOf(error) === UNSUPPORTED_VERSION;
}

function rpcCodeOf(error: unknown): unknown {
  if (!(error instanceof RequestFailure) || error.judgement !== "answered") return undefined;
  return error.cause instanceof Error && "code" in error.cause ? error.cause.code : undefined;
}
