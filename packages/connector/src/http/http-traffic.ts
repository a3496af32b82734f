import { RequestFailure, type RequestHeaders } from "@mcp-pool/core";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { OutgoingRequest } from "../v1/link.ts";
import type { Authoriser } from "./authoriser.ts";
import type { IdentityHeaders } from "./identity-headers.ts";
import { type Leg, Post, requestIdOf, rpcErrorOf } from "./post.ts";
import { joinHeaders } from "./request-headers.ts";
import { retryAfterMsOf } from "./retry-after.ts";
import { watchBody } from "./watched-body.ts";

/** What the traffic of one connection needs. */
export interface HttpTrafficOptions {
  readonly fetch: FetchLike;
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
  readonly #posts = new Map<number, Post>();
  /** Last event ids of streams that the SDK would resume for requests that nobody waits for any more. */
  readonly #unwantedStreams = new Set<string>();
  #hasEnded = false;

  constructor(options: HttpTrafficOptions) {
    this.#options = options;
  }

  begin(request: OutgoingRequest): Post {
    const post = new Post(request);
    this.#posts.set(request.id, post);
    return post;
  }

  /** Lets go of a request; without an answer, its POST would hold a socket until the server ends it. */
  forget(id: number): void {
    const post = this.#posts.get(id);
    if (post === undefined) return;
    clearTimeout(post.graceTimer);
    this.#posts.delete(id);
    if (post.request.isAnswered) return;
    if (post.lastEventId !== undefined) this.#unwantedStreams.add(post.lastEventId);
    post.controller.abort();
  }

  end(): void {
    this.#hasEnded = true;
  }

  async #fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    if (!isWithin(this.#options.url, new URL(url))) return this.#options.fetch(url, init);
    switch (init.method ?? "GET") {
      case "POST":
        return this.#post(url, init);
      case "GET":
        return this.#get(url, init);
      default:
        return this.#send(url, init);
    }
  }

  async #post(url: string | URL, init: RequestInit): Promise<Response> {
    const id = requestIdOf(init.body);
    const post = id === undefined ? undefined : this.#posts.get(id);
    const signal = post?.controller.signal ?? init.signal ?? null;
    const note = (leg: Leg): void => {
      if (post !== undefined) post.leg = leg;
      else if (isMessage(init.body)) this.lastUnclaimedLeg = leg;
    };
    let response: Response;
    try {
      response = await this.#send(url, { ...init, signal }, post?.request);
    } catch (error) {
      if (!(error instanceof RequestFailure)) note({ kind: "no-response", error });
      throw error;
    }
    const sessionId = new Headers(init.headers).get("mcp-session-id") ?? undefined;
    const { leg, unread } = await readLeg(response, sessionId);
    note(leg);
    if (post === undefined || leg.mediaType !== "text/event-stream" || !response.ok) return unread;
    return watchBody(unread, () => this.#streamEnded(post));
  }

  async #get(url: string | URL, init: RequestInit): Promise<Response> {
    const lastEventId = new Headers(init.headers).get("last-event-id");
    const post = lastEventId === null ? undefined : this.#postWith(lastEventId);
    // To the SDK, 405 means that there is no stream; any other failure would start one more timer after the end.
    const isUnwanted = lastEventId !== null && this.#unwantedStreams.delete(lastEventId);
    if (this.#hasEnded || isUnwanted) return new Response(null, { status: 405 });
    let response: Response;
    try {
      response = await this.#send(url, init);
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

  /** Sends with the credentials of the identity, and once more where the server refused those and there are others. */
  async #send(url: string | URL, init: RequestInit, request?: OutgoingRequest): Promise<Response> {
    const { headers: identity, authoriser, fetch } = this.#options;
    let own = await identity.current();
    let token = await authoriser?.token();
    for (let isRepeated = false; ; isRepeated = true) {
      init.signal?.throwIfAborted();
      const headers = joinHeaders(own, withToken(init.headers, token), request?.headers);
      if (request !== undefined) request.sent = true;
      const response = await fetch(url, { ...init, headers });
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
    for (const post of this.#posts.values()) if (post.lastEventId === lastEventId) return post;
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
): Promise<{ leg: Extract<Leg, { kind: "response" }>; unread: Response }> {
  const { status, statusText, headers } = response;
  const base = {
    kind: "response",
    status,
    mediaType: headers.get("content-type")?.split(";")[0]?.trim().toLowerCase(),
    retryAfterMs: retryAfterMsOf(headers),
    sessionId,
  } as const;
  if (response.ok || (status >= 300 && status < 400))
    return { leg: { ...base, rpcError: undefined }, unread: response };
  const text = await response.text().catch(() => "");
  const unread = new Response(text, { status, statusText, headers });
  return { leg: { ...base, rpcError: rpcErrorOf(text) }, unread };
}

/** Adds the headers of the identity to requests for authorisation, as far as they go to the server itself. */
export function withOwnHeaders(fetch: FetchLike, server: URL, headers: IdentityHeaders): FetchLike {
  return async (url, init) => {
    if (!isWithin(server, new URL(url))) return fetch(url, init);
    return fetch(url, { ...init, headers: joinHeaders(await headers.current(), init?.headers, undefined) });
  };
}

function withToken(sdk: RequestInit["headers"], token: string | undefined): Headers {
  const headers = new Headers(sdk);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  return headers;
}

function hasAuthorization(headers: RequestHeaders | undefined): boolean {
  return headers !== undefined && Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

/** Whether our headers may go there: to the server's own origin, or to its https form. */
function isWithin(server: URL, target: URL): boolean {
  if (server.origin === target.origin) return true;
  return server.hostname === target.hostname && server.protocol === "http:" && target.protocol === "https:";
}
