import { RequestFailure, type RequestHeaders } from "@mcp-pool/core";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { RequestsById } from "../requests-by-id.ts";
import type { OutgoingRequest } from "../v1/link.ts";
import { AnswerReader } from "./answer-reader.ts";
import type { Authoriser } from "./authoriser.ts";
import type { IdentityHeaders } from "./identity-headers.ts";
import type { SendPost } from "./own-post.ts";
import { type Leg, legOf, Post, type ResponseLeg, requestIdOf, rpcErrorOf } from "./post.ts";
import { joinHeaders, type PlainHeaders } from "./request-headers.ts";
import { watchBody } from "./watched-body.ts";

/** What the traffic of one connection needs. */
export interface HttpTrafficOptions {
  readonly fetch: FetchLike;
  /** Sends the POSTs of requests in place of fetch, so that their answers are read here. */
  readonly post?: SendPost | undefined;
  /** Takes messages that are read here, as the SDK's transport would. */
  readonly deliver: (message: JSONRPCMessage) => void;
  /** Longest message that is read here. */
  readonly maxMessageBytes: number;
  /** Is told of what is no message. */
  readonly report: (error: Error) => void;
  readonly url: URL;
  readonly headers: IdentityHeaders;
  readonly authoriser: Authoriser | undefined;
  /** After how many failures the SDK stops resuming a stream. */
  readonly maxResumeAttempts: number;
  /** Called when the stream of a plain GET has ended; such streams are not watched without it. */
  readonly onEventStreamEnd?: (() => void) | undefined;
}

/** How long the SDK may take to read the last events of a stream that has ended. */
const STREAM_END_GRACE_MS = 50;

/** How many streams a server may keep open after their answers; each holds a socket. */
const MAX_LINGERING = 64;

/**
 * Watches all HTTP of one connection through the `fetch` given to the SDK's transport: it adds each request's own
 * headers, notes what becomes of each POST, and notices response streams that end without the answer, for which the
 * SDK would wait until its time-out.
 */
export class HttpTraffic {
  readonly fetch: FetchLike = (url, init) => this.#fetch(url, init);
  /** What became of the last POST or event stream that belongs to no request of ours: the handshake's, at first. */
  lastUnclaimedLeg: Leg | undefined;

  readonly #options: HttpTrafficOptions;
  readonly #posts = new RequestsById<Post>();
  /** Last event ids of streams that the SDK would resume for requests that nobody waits for any more. */
  readonly #unwantedStreams = new Set<string>();
  /** Those with a response stream over a fetch that is not ours; it may stay open after the answer. */
  readonly #streaming = new Set<Post>();
  /** Answered ones whose response stream is open, oldest first; some of them have ended meanwhile. */
  readonly #lingering = new Set<Post>();
  #hasEnded = false;

  constructor(options: HttpTrafficOptions) {
    this.#options = options;
  }

  begin(request: OutgoingRequest): Post {
    const post = new Post(request);
    this.#posts.add(post);
    return post;
  }

  /** Lets go of a request; without an answer, its POST would hold a socket until the server ends it. */
  forget(id: number): void {
    const post = this.#posts.get(id);
    if (post === undefined) return;
    clearTimeout(post.graceTimer);
    this.#posts.delete(id);
    if (post.request.isAnswered) {
      if (post.isStreaming) this.#linger(post);
      return;
    }
    if (post.lastEventId !== undefined && post.isReadBySdk) this.#unwantedStreams.add(post.lastEventId);
    post.end();
  }

  /** The server may have more to say, but may not take all sockets for it. */
  #linger(post: Post): void {
    this.#lingering.add(post);
    for (const each of this.#lingering) {
      if (each.isStreaming && this.#lingering.size <= MAX_LINGERING) continue;
      this.#lingering.delete(each);
      if (each.isStreaming) each.end();
    }
  }

  end(): void {
    this.#hasEnded = true;
    for (const post of this.#streaming) post.end();
  }

  async #fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { url: server, fetch } = this.#options;
    const target = url === server ? server : new URL(url);
    if (!isWithin(server, target)) return fetch(url, init);
    const { method = "GET", body } = init;
    if (method === "GET") return this.#get(url, init);
    if (method !== "POST") return this.#sendByFetch(url, init);
    const id = requestIdOf(body);
    const post = id === undefined ? undefined : this.#posts.get(id);
    if (post === undefined || typeof body !== "string") return this.#post(url, init, post);
    return this.#options.post === undefined
      ? this.#post(url, { ...init, signal: post.signal }, post)
      : this.#postAndRead(target, init, post, body, this.#options.post);
  }

  /** Posts over a fetch that is not ours, or what is no request; the SDK's transport reads the answer. */
  async #post(url: string | URL, init: RequestInit, post: Post | undefined): Promise<Response> {
    const note = (leg: Leg): void => {
      if (post !== undefined) post.leg = leg;
      else if (isMessage(init.body)) this.lastUnclaimedLeg = leg;
    };
    let response: Response;
    try {
      response = await this.#sendByFetch(url, init, post?.request);
    } catch (error) {
      if (!(error instanceof RequestFailure)) note({ kind: "no-response", error });
      throw error;
    }
    const sessionId = new Headers(init.headers).get("mcp-session-id") ?? undefined;
    const { leg, unread } = await readLeg(response, sessionId);
    note(leg);
    if (post === undefined || leg.mediaType !== "text/event-stream" || !response.ok) return unread;
    this.#streaming.add(post);
    post.isReadBySdk = true;
    return watchBody(unread, () => {
      this.#streaming.delete(post);
      this.#streamEnded(post);
    });
  }

  /** Posts a request and reads its answer. */
  async #postAndRead(url: URL, init: RequestInit, post: Post, body: string, send: SendPost): Promise<Response> {
    const { deliver, report, maxMessageBytes, maxResumeAttempts } = this.#options;
    const mayResume = (): boolean => maxResumeAttempts > 0 && !this.#hasEnded;
    try {
      return await this.#sendAs(
        init,
        (headers) => {
          post.throwIfEnded();
          post.leg = undefined;
          const sessionId = headers["mcp-session-id"];
          const reader = new AnswerReader(post, { sessionId, deliver, report, maxMessageBytes, mayResume });
          post.abortLeg = send({ url, headers, body }, reader);
          return reader.response;
        },
        post.request,
      );
    } catch (error) {
      // Without a socket there is no leg.
      if (!(error instanceof RequestFailure) && post.request.sent) {
        post.leg ??= { kind: "no-response", error, wasConnected: true };
      }
      throw error;
    }
  }

  async #get(url: string | URL, init: RequestInit): Promise<Response> {
    const lastEventId = new Headers(init.headers).get("last-event-id");
    const post = lastEventId === null ? undefined : this.#postWith(lastEventId);
    // To the SDK, 405 means that there is no stream; any other failure would start one more timer after the end.
    const isUnwanted = lastEventId !== null && this.#unwantedStreams.delete(lastEventId);
    if (this.#hasEnded || isUnwanted) return new Response(null, { status: 405 });
    let response: Response;
    try {
      response = await this.#sendByFetch(url, init);
    } catch (error) {
      if (this.#hasEnded) return new Response(null, { status: 405 });
      if (post !== undefined) this.#resumeFailed(post);
      else if (this.#options.onEventStreamEnd !== undefined) this.lastUnclaimedLeg = { kind: "no-response", error };
      throw error;
    }
    if (post !== undefined) {
      if (!response.ok) {
        this.#resumeFailed(post, response.status);
        return response;
      }
      post.resumeFailures = 0;
      return watchBody(response, () => this.#streamEnded(post));
    }
    const { onEventStreamEnd } = this.#options;
    if (onEventStreamEnd === undefined) return response;
    if (response.ok) return watchBody(response, onEventStreamEnd);
    const { leg, unread } = await readLeg(response, undefined);
    this.lastUnclaimedLeg = leg;
    return unread;
  }

  #sendByFetch(url: string | URL, init: RequestInit, request?: OutgoingRequest): Promise<Response> {
    const attempt = (headers: PlainHeaders): Promise<Response> => {
      init.signal?.throwIfAborted();
      if (request !== undefined) request.sent = true;
      return this.#options.fetch(url, { ...init, headers });
    };
    return this.#sendAs(init, attempt, request);
  }

  /** Sends with the credentials of the identity, and once more where the server refused those and there are others. */
  async #sendAs(
    { headers: sdk }: RequestInit,
    attempt: (headers: PlainHeaders) => Promise<Response>,
    request?: OutgoingRequest,
  ): Promise<Response> {
    const { headers: identity, authoriser } = this.#options;
    let own = await identity.current();
    let token = await authoriser?.token();
    for (let isRepeated = false; ; isRepeated = true) {
      const response = await attempt(joinHeaders({ own, sdk, token, request: request?.headers }));
      const isRefused = response.status === 401 || response.status === 403;
      if (!isRefused || isRepeated || hasAuthorization(request?.headers)) return response;
      if (request !== undefined) request.sent = false;
      if (authoriser !== undefined) {
        if (!(await authoriser.answer(response, token))) return response;
        token = await authoriser.token();
      } else {
        const others = response.status === 401 ? await identity.renewed(own).catch(() => undefined) : undefined;
        if (others === undefined) return response;
        own = others;
      }
      await response.text().catch(() => "");
    }
  }

  #streamEnded(post: Post): void {
    if (!post.request.isOpen || this.#hasEnded) return;
    clearTimeout(post.graceTimer);
    post.graceTimer = setTimeout(() => {
      const willResume = post.lastEventId !== undefined && this.#options.maxResumeAttempts > 0;
      if (!willResume) post.request.fail(lostAnswer("the response stream ended without an answer"));
    }, STREAM_END_GRACE_MS);
  }

  #resumeFailed(post: Post, status?: number): void {
    post.resumeFailures += 1;
    if (status !== 405 && post.resumeFailures < this.#options.maxResumeAttempts) return;
    post.request.fail(lostAnswer("the response stream broke and could not be resumed"));
  }

  #postWith(lastEventId: string): Post | undefined {
    for (const post of this.#posts.all()) if (post.lastEventId === lastEventId) return post;
    return undefined;
  }
}

/** Tells the SDK's own messages from its requests for authorisation. */
function isMessage(body: unknown): boolean {
  return typeof body === "string" && body.includes('"jsonrpc":"2.0"');
}

function lostAnswer(message: string): RequestFailure {
  return new RequestFailure("outcome-unknown", message);
}

/** Notes a response; the body of a refusal is read, so a fresh response is made for the SDK to read it too. */
async function readLeg(
  response: Response,
  sessionId: string | undefined,
): Promise<{ leg: ResponseLeg; unread: Response }> {
  const { status, statusText, headers } = response;
  const leg = legOf(status, (name) => headers.get(name) ?? undefined, sessionId);
  if (response.ok || (status >= 300 && status < 400)) return { leg, unread: response };
  const text = await response.text().catch(() => "");
  return { leg: { ...leg, rpcError: rpcErrorOf(text) }, unread: new Response(text, { status, statusText, headers }) };
}

/** Adds the headers of the identity to requests for authorisation, as far as they go to the server itself. */
export function withOwnHeaders(fetch: FetchLike, server: URL, headers: IdentityHeaders): FetchLike {
  return async (url, init) => {
    if (!isWithin(server, new URL(url))) return fetch(url, init);
    return fetch(url, { ...init, headers: joinHeaders({ own: await headers.current(), sdk: init?.headers }) });
  };
}

function hasAuthorization(headers: RequestHeaders | undefined): boolean {
  return headers !== undefined && Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

/** Whether our headers may go there: to the server's own origin, or to its https form. */
function isWithin(server: URL, target: URL): boolean {
  if (server.origin === target.origin) return true;
  return server.hostname === target.hostname && server.protocol === "http:" && target.protocol === "https:";
}
