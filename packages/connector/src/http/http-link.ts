import { type ConnectionEndpoint, RequestFailure } from "@mcp-pool/core";
import type { StreamableHTTPReconnectionOptions } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { FetchLike, Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCRequest } from "@modelcontextprotocol/sdk/types.js";
import { causesOf, systemCodeOf } from "../connect-failure.ts";
import type { SdkParts } from "../sdk-binding.ts";
import { settledWithin } from "../settled-within.ts";
import type { Link, OpenProblem, OutgoingRequest } from "../v1/link.ts";
import { CookieJar, keepCookies, keepPostCookies } from "./affinity-cookies.ts";
import type { Authoriser } from "./authoriser.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import { endpointLabel } from "./endpoint-label.ts";
import { HttpTraffic, withOwnHeaders } from "./http-traffic.ts";
import type { IdentityHeaders } from "./identity-headers.ts";
import { judgePost, reasonOf } from "./judge-post.ts";
import { ownFetch } from "./own-fetch.ts";
import { sharedRefresh } from "./shared-refresh.ts";

/** What a link over HTTP is made of. */
export interface HttpLinkOptions {
  readonly url: URL;
  readonly kind: "streamable-http" | "sse";
  readonly headers: IdentityHeaders;
  /** Lets go of the headers. */
  readonly release: () => void;
  readonly fetch: FetchLike | undefined;
  /** Makes what obtains tokens, over a fetch that may reach the server and others. */
  readonly authoriser: ((fetch: FetchLike) => Authoriser) | undefined;
  readonly reconnection: StreamableHTTPReconnectionOptions;
  readonly sessionLostStatuses: readonly number[];
  readonly maxMessageBytes: number;
}

/** How long a server may take over one request for authorisation; all who need the token wait for it. */
const AUTHORISATION_MS = 30_000;

/** How long a server may take over the end of its session before we leave without its word. */
const SESSION_END_MS = 1_000;

/** The link to a server over Streamable HTTP, or over the older HTTP+SSE. */
export class HttpLink implements Link {
  readonly sdk: SdkParts;
  readonly transport: Transport;
  readonly endpoint: ConnectionEndpoint;
  readonly label: string;

  readonly #options: HttpLinkOptions;
  readonly #traffic: HttpTraffic;
  readonly #destroySockets: () => Promise<void>;
  #endSession: (() => Promise<void>) | undefined;
  #clearReconnectionTimers: () => void = () => {};
  #lostCause: Error | undefined;

  constructor(sdk: SdkParts, options: HttpLinkOptions) {
    const { url, kind, headers, authoriser, reconnection } = options;
    this.sdk = sdk;
    this.#options = options;
    this.label = endpointLabel(url);
    const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
    this.endpoint = { transport: kind === "sse" ? "sse" : "http", address: url.hostname, port };
    const own = options.fetch === undefined ? ownFetch() : undefined;
    this.#destroySockets = own?.destroy ?? (async () => {});
    const jar = new CookieJar(url);
    this.#traffic = new HttpTraffic({
      fetch: keepCookies(own?.fetch ?? options.fetch ?? fetch, jar),
      // In HTTP+SSE, the response to a POST holds no answer.
      ...(own !== undefined && kind === "streamable-http" && { post: keepPostCookies(own.post, jar) }),
      deliver: (message) => this.transport.onmessage?.(message),
      maxMessageBytes: options.maxMessageBytes,
      report: (error) => this.transport.onerror?.(error),
      url,
      headers,
      // Not over the connection's own sockets: others wait for the same token, and this connection may be closed.
      authoriser: authoriser?.(
        sharedRefresh(boundedFetch(withOwnHeaders(options.fetch ?? fetch, url, headers), AUTHORISATION_MS)),
      ),
      maxResumeAttempts: options.reconnection.maxRetries,
      ...(kind === "sse" && { onEventStreamEnd: () => this.#loseEventStream() }),
    });
    const { fetch: watchedFetch } = this.#traffic;
    if (kind === "sse") {
      this.transport = sdk.sse(url, watchedFetch);
    } else {
      const parts = sdk.streamableHttp(url, watchedFetch, reconnection);
      this.transport = parts.transport;
      this.#endSession = parts.endSession;
      this.#clearReconnectionTimers = parts.clearReconnectionTimers;
    }
  }

  get kind(): HttpLinkOptions["kind"] {
    return this.#options.kind;
  }

  /** The status the server refused the handshake with. */
  get refusal(): number | undefined {
    const leg = this.#traffic.lastUnclaimedLeg;
    return leg?.kind === "response" && leg.status >= 400 ? leg.status : undefined;
  }

  async sendRequest(message: JSONRPCRequest, request: OutgoingRequest): Promise<void> {
    const post = this.#traffic.begin(request);
    try {
      await this.transport.send(message, {
        onresumptiontoken: (token) => {
          post.lastEventId = token;
        },
      });
    } catch (error) {
      if (error instanceof RequestFailure) throw error;
      const { sessionLostStatuses } = this.#options;
      const currentSessionId = this.transport.sessionId;
      const failed = { id: request.id, leg: post.leg, currentSessionId, sessionLostStatuses };
      throw judgePost(error, failed, this.sdk);
    }
    // In HTTP+SSE the answer comes over the event stream; here it is in the response, or in the stream that it is.
    const hasStream = this.#options.kind === "sse" || (post.leg?.kind === "response" && isStream(post.leg.mediaType));
    if (request.isOpen && !hasStream) throw new RequestFailure("outcome-unknown", "the response held no answer");
  }

  forgetRequest(id: number): void {
    this.#traffic.forget(id);
  }

  lostCause(): Error | undefined {
    return this.#lostCause;
  }

  explain(error: unknown): OpenProblem {
    // The SDK may have wrapped it.
    for (const cause of causesOf(error)) {
      if (cause instanceof RequestFailure) return { reason: cause.message, judgement: cause.judgement };
    }
    const leg = this.#traffic.lastUnclaimedLeg;
    if (leg?.kind === "response" && leg.status >= 300) {
      const { status, retryAfterMs, rpcError } = leg;
      const details = rpcError === undefined ? "" : `: ${rpcError.message}`;
      const reason = `the handshake was refused with HTTP ${status}${details}`;
      if (status === 401 || status === 403) return { reason, judgement: "unauthorised" };
      return status === 429 || status === 503 ? { reason, judgement: "overloaded", retryAfterMs } : { reason };
    }
    const root = leg?.kind === "no-response" ? leg.error : error;
    return { reason: reasonOf(root), code: systemCodeOf(root) };
  }

  async end(): Promise<void> {
    const ending = this.#endSession?.();
    if (ending !== undefined) await settledWithin(ending, SESSION_END_MS);
    this.#traffic.end();
    // Only tells the client and aborts what is under way; a failure would change nothing.
    await this.transport.close().catch(() => undefined);
    this.#clearReconnectionTimers();
    await this.#destroySockets();
    this.#options.release();
  }

  /** In HTTP+SSE, every answer comes over the one event stream, and a new stream would be a new session. */
  #loseEventStream(): void {
    this.#lostCause = new Error("the server's event stream ended");
    void this.transport.close().catch(() => undefined);
  }
}

function isStream(mediaType: string | undefined): boolean {
  return mediaType === "text/event-stream";
}
