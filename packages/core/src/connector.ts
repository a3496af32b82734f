import type { ClientHandlers } from "./client-handlers.ts";

/** Undoes a registration; calling it again does nothing. */
export type Unsubscribe = () => void;

/**
 * What a failed request says about its connection and about what the server may have done.
 *
 * - `not-sent`: nothing of it reached the server
 * - `outcome-unknown`: it may have run; the answer is lost
 * - `answered`: the server answered with a JSON-RPC error
 * - `overloaded`: the server asks to back off (429, 503)
 * - `session-lost`: the server forgot the session, and so refused the request
 * - `timed-out`: a deadline passed after sending
 * - `aborted`: the caller gave up
 * - `unauthorised`: the server refused the credentials (401, 403)
 */
export type Judgement =
  | "not-sent"
  | "outcome-unknown"
  | "answered"
  | "overloaded"
  | "session-lost"
  | "timed-out"
  | "aborted"
  | "unauthorised";

/** Details of a {@link RequestFailure}. */
export interface RequestFailureOptions {
  /** The error as the SDK or the system raised it. */
  readonly cause?: unknown;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The status of the HTTP response that refused the request, where there was one and no JSON-RPC answer. */
  readonly httpStatus?: number | undefined;
  /**
   * There when the server was told that nobody waits for the answer to an aborted or timed-out request any more, but may
   * answer. It settles when the late answer arrives, and resolves with `false` when it is no longer waited for.
   */
  readonly lateAnswer?: Promise<unknown> | undefined;
}

/** What {@link McpConnection.request} rejects with: an error, judged by the connector. */
export class RequestFailure extends Error {
  override readonly name: string = "RequestFailure";
  readonly judgement: Judgement;
  readonly retryAfterMs: number | undefined;
  readonly httpStatus: number | undefined;
  readonly lateAnswer: Promise<unknown> | undefined;

  constructor(judgement: Judgement, message: string, options: RequestFailureOptions = {}) {
    super(message, { cause: options.cause });
    this.judgement = judgement;
    this.retryAfterMs = options.retryAfterMs;
    this.httpStatus = options.httpStatus;
    this.lateAnswer = options.lateAnswer;
  }
}

/** Tells whether an error is judged, also by another copy of this package. */
export function isRequestFailure(error: unknown): error is RequestFailure {
  return error instanceof RequestFailure || (error instanceof Error && "judgement" in error);
}

/** Returns a rejection of a connection as a judged failure; what a connector did not judge may have run. */
export function toRequestFailure(error: unknown): RequestFailure {
  if (isRequestFailure(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RequestFailure("outcome-unknown", message, { cause: error });
}

/** Why a connection was closed. */
export type CloseReason =
  | "idle"
  | "lifetime"
  | "max-uses"
  | "lost"
  | "request-failed"
  | "probe-failed"
  | "discarded"
  | "abandoned"
  | "on-release"
  | "evicted"
  | "reconfigured"
  | "unneeded"
  | "pool-closed";

/** What a connector needs to open one connection. */
export interface ConnectRequest {
  readonly serverName: string;
  /** On whose behalf the connection is opened; connections of different identities are never mixed. */
  readonly identity: string | undefined;
  /** How the connection will be lent. An exclusive one keeps its holder's state, so nothing on it is repeated. @default "shared" */
  readonly sharing?: "shared" | "exclusive" | undefined;
  /** Aborts when the pool no longer wants the connection or the time is up. */
  readonly signal: AbortSignal;
  /** Milliseconds within which the connection must be open. */
  readonly timeoutMs: number;
  /** What the connection announces, and who answers it unless a request says otherwise. */
  readonly handlers?: ClientHandlers | undefined;
}

/** One progress report of a running request. */
export interface Progress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** Options of one request on one connection. */
export interface ConnectionRequestOptions {
  /** Belongs to this attempt alone, so a connection may leave listeners on it. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Extra HTTP headers for this request; ignored where the transport has none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Answer what the server asks for this request; given where {@link McpConnection.era} is `modern` only. */
  readonly handlers?: ClientHandlers | undefined;
}

/** How a request ends that {@link McpConnection.startRequest} has begun: by one of these, once. */
export interface RequestEnd {
  /** Takes the JSON-RPC result. May be called before `startRequest` returns. */
  onResult(result: unknown): void;
  /** Takes a {@link RequestFailure}. May be called before `startRequest` returns. */
  onFailure(failure: unknown): void;
}

/** A request that {@link McpConnection.startRequest} has begun. */
export interface StartedRequest {
  /** Does what the abort of a signal does to {@link McpConnection.request}. */
  abort(reason: unknown): void;
}

/** Starts one request on one connection; never throws. */
export type StartRequest = (
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  options: Omit<ConnectionRequestOptions, "signal">,
  end: RequestEnd,
) => StartedRequest;

/** A notification from the server. */
export interface ServerNotification {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/** A notification to the server. */
export type ClientNotification = ServerNotification;

/** What an open connection has to tell of itself, beside its end. */
export type ConnectionEvent =
  /** The server had forgotten the session; another one is in its place, and what belonged to the old one is gone. */
  | { readonly type: "session-renewed" }
  /** A server process wrote lines to stderr; secrets that are known are blotted out. */
  | { readonly type: "stderr-written"; readonly lines: readonly string[] };

/** What the server said of itself when the connection was opened. */
export interface ServerDescription {
  readonly name: string;
  readonly version: string;
  readonly protocolVersion?: string | undefined;
  readonly instructions?: string | undefined;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** Where a connection leads, for metrics and messages; never holds credentials. */
export interface ConnectionEndpoint {
  readonly transport: "stdio" | "http" | "sse" | "in-memory";
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly processId?: number | undefined;
}

/** One open connection to an MCP server. Any number of requests may be in flight on it. */
export interface McpConnection {
  /** The SDK's own client, an escape hatch past the pool's guarantees; another one after a renewal of the session. */
  readonly raw: unknown;
  /** `legacy`: protocol revisions up to 2025-11-25, with sessions and `ping`. `modern`: from 2026-07-28. */
  readonly era: "legacy" | "modern";
  /** How many requests the connection carries well at one time. */
  readonly suggestedConcurrency: number;
  readonly server: ServerDescription;
  readonly endpoint: ConnectionEndpoint;
  /**
   * Sends one request and resolves with the JSON-RPC result.
   * @throws {RequestFailure} for every failure
   */
  request(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: ConnectionRequestOptions,
  ): Promise<unknown>;
  /**
   * Does the same without a signal and a promise, for connections where these would cost a good part of a call. A pool
   * prefers it; a connection may leave it out.
   */
  readonly startRequest?: StartRequest | undefined;
  /**
   * Sends one notification, and resolves when it is on its way; where the protocol of the connection has no such thing, at
   * once. A connection that sends none leaves it out.
   * @throws {RequestFailure}
   */
  sendNotification?(notification: ClientNotification, signal: AbortSignal): Promise<void>;
  /** Resolves if the server is alive; "method not found" counts as alive. */
  probe(signal: AbortSignal): Promise<void>;
  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe;
  /** Calls back once when the connection ends by itself, or at once if it already has. */
  onClosed(listener: (cause: Error | undefined) => void): Unsubscribe;
  /** Listens to what the connection tells of itself; a connection that has nothing to tell leaves it out. */
  onEvent?(listener: (event: ConnectionEvent) => void): Unsubscribe;
  /** Closes the connection, in bounded time; every call returns the same promise. It resolves when nothing of it is left. */
  close(reason: CloseReason): Promise<void>;
}

/** Opens connections to one server. The first of the three seams. */
export interface Connector {
  /** Opens a connection; on failure nothing of it may be left. */
  connect(request: ConnectRequest): Promise<McpConnection>;
  /** What {@link McpConnection.suggestedConcurrency} will be, as far as it is known before the first connection. */
  readonly suggestedConcurrency?: number | undefined;
  /** Bounds of the back-off between failed connects, in milliseconds. @default 100 to 30 000 */
  readonly connectBackoff?: { readonly initialDelayMs: number; readonly maxDelayMs: number } | undefined;
}
