import {
  type ConnectionRequestOptions,
  type Progress,
  type RequestEnd,
  RequestFailure,
  type ServerNotification,
  type Unsubscribe,
} from "@mcp-pool/core";
import type { Transport, TransportSendOptions } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage, JSONRPCRequest, MessageExtraInfo } from "@modelcontextprotocol/sdk/types.js";
import { RequestsById } from "../requests-by-id.ts";
import { AbandonedRequests } from "./abandoned-requests.ts";
import type { Link } from "./link.ts";
import { PendingRequest, type PendingRequestHost } from "./pending-request.ts";

/**
 * First id of our own requests. The SDK's client counts from 0 on the same transport, so the two never meet;
 * the number stays within 32 bits, since not every server reads longer ones.
 */
const FIRST_ID = 1_000_000_000;

/** How a server is told that nobody waits for an answer any more: by a message, or by the end of its HTTP request. */
export type Cancellation =
  | { readonly kind: "message"; readonly meta?: Readonly<Record<string, unknown>> | undefined }
  | { readonly kind: "closing" };

/**
 * Sends requests over a link and matches answers with them. It stands between the SDK's client and the transport: the
 * client makes the handshake and answers the server's requests, and everything that is not ours passes through.
 *
 * The pool's requests don't go through the client because its 1.x bookkeeping hides what a judgement needs: it reports
 * an abort and a server's own -32001 alike, drops late answers, hangs when an answer is malformed, keeps the handlers
 * of a request whose sending failed, and starts a timer for each request.
 */
export class MessageExchange implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  cancellation: Cancellation = { kind: "message" };

  readonly #link: Link;
  readonly #pending = new RequestsById<PendingRequest>();
  readonly #abandoned = new AbandonedRequests();
  readonly #notificationListeners = new Set<(notification: ServerNotification) => void>();
  readonly #onEnded: () => Promise<void>;
  readonly #host: PendingRequestHost = {
    onAbandoned: (pending) => this.#cancel(pending),
    onEnded: (pending) => {
      this.#pending.delete(pending.id);
      this.#abandoned.delete(pending);
      this.#link.forgetRequest(pending.id);
    },
  };
  #nextId = FIRST_ID;
  #ending: Promise<void> | undefined;
  #protocolVersion: string | undefined;

  /** @param onEnded Called once, at the end, for whatever reason; ends what is beneath. It must not reject. */
  constructor(link: Link, onEnded: () => Promise<void>) {
    this.#link = link;
    this.#onEnded = onEnded;
  }

  get hasEnded(): boolean {
    return this.#ending !== undefined;
  }

  get sessionId(): string | undefined {
    return this.#link.transport.sessionId;
  }

  get protocolVersion(): string | undefined {
    return this.#protocolVersion;
  }

  setProtocolVersion(version: string): void {
    this.#protocolVersion = version;
    this.#link.transport.setProtocolVersion?.(version);
  }

  async start(): Promise<void> {
    const { transport } = this.#link;
    transport.onclose = () => void this.close();
    transport.onerror = (error) => this.#report(error);
    transport.onmessage = (message, extra) => this.#received(message, extra);
    await transport.start();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    return this.#link.transport.send(message, options);
  }

  /** Fails what is in flight, takes no more, and resolves when nothing beneath is left; it happens once, and never rejects. */
  close(): Promise<void> {
    if (this.#ending === undefined) {
      let resolve: (ending: Promise<void>) => void = () => {};
      this.#ending = new Promise((settle) => {
        resolve = settle;
      });
      this.#failPending();
      this.onclose?.();
      resolve(this.#onEnded());
    }
    return this.#ending;
  }

  /**
   * Sends one request and resolves with the `result` member of its answer, untouched.
   * @throws {RequestFailure}
   */
  request(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: ConnectionRequestOptions,
  ): Promise<unknown> {
    const { signal } = options;
    if (signal.aborted) return Promise.reject(abortedFailure(signal));
    return new Promise((resolve, reject) => {
      const abort = (): void => pending.abort(signal.reason);
      let isOver = false;
      const over = (): void => {
        isOver = true;
        signal.removeEventListener("abort", abort);
      };
      const pending = this.startRequest(method, params, options, {
        onResult: (result) => {
          over();
          resolve(result);
        },
        onFailure: (failure) => {
          over();
          reject(failure);
        },
      });
      if (isOver) return;
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Sends one request, and tells of its end, once. */
  startRequest(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: Omit<ConnectionRequestOptions, "signal">,
    end: RequestEnd,
  ): PendingRequest {
    const id = this.#nextId++;
    const pending = new PendingRequest(id, method, options, end, this.#host);
    if (this.hasEnded) {
      const cause = this.#link.lostCause();
      pending.fail(new RequestFailure("not-sent", "the connection is closed", { cause }));
      return pending;
    }
    let message: JSONRPCRequest;
    try {
      message = requestMessage(id, method, params, options.onProgress !== undefined);
    } catch (error) {
      pending.fail(mistake(error));
      return pending;
    }
    this.#pending.add(pending);
    this.#link.sendRequest(message, pending)?.catch((error: unknown) => {
      pending.fail((!pending.sent && mistakeIn(message)) || asFailure(error, pending));
    });
    return pending;
  }

  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe {
    // A wrapper of its own, so that a listener given twice is called twice and removed once.
    const own = (notification: ServerNotification): void => listener(notification);
    this.#notificationListeners.add(own);
    return () => void this.#notificationListeners.delete(own);
  }

  /** Treats a notification as if it had come over the link. */
  deliver(notification: ServerNotification): void {
    this.#received({ jsonrpc: "2.0", ...notification } as JSONRPCMessage, undefined);
  }

  #received(message: JSONRPCMessage, extra: MessageExtraInfo | undefined): void {
    if ("method" in message) {
      if (!("id" in message) && this.#notified(message)) return;
      this.onmessage?.(message, extra);
      return;
    }
    const id = Number(message.id);
    const pending = this.#pending.get(id);
    if (pending !== undefined) pending.answer(message, this.#link.sdk.rpcError);
    // An answer nobody waits for any more is dropped; the SDK's client would report it as an error.
    else if (!(id >= FIRST_ID)) this.onmessage?.(message, extra);
  }

  /** Returns whether the notification was for us alone. */
  #notified(notification: ServerNotification): boolean {
    if (notification.method === "notifications/progress") {
      const token = Number(notification.params?.progressToken);
      if (token >= FIRST_ID) {
        this.#guard(() => this.#pending.get(token)?.progress(progressOf(notification.params)));
        return true;
      }
    }
    for (const listener of this.#notificationListeners) this.#guard(() => listener(notification));
    return false;
  }

  #cancel(pending: PendingRequest): void {
    const { cancellation } = this;
    if (cancellation.kind === "closing") {
      pending.fail(new RequestFailure("aborted", "its HTTP request was closed"));
      return;
    }
    this.#abandoned.add(pending);
    const meta = cancellation.meta !== undefined && { _meta: cancellation.meta };
    const params = { requestId: pending.id, reason: "the caller gave up", ...meta };
    this.send({ jsonrpc: "2.0", method: "notifications/cancelled", params }).catch((error: unknown) =>
      this.#report(new Error("could not send a cancellation", { cause: error })),
    );
  }

  #failPending(): void {
    const cause = this.#link.lostCause();
    const why = cause === undefined ? "the connection closed" : cause.message;
    for (const pending of this.#pending.all()) {
      const judgement = pending.sent ? "outcome-unknown" : "not-sent";
      pending.fail(new RequestFailure(judgement, why, { cause }));
    }
  }

  /** The user may have set what hears of it. Nobody is left to be told that it threw, and what reads on must read on. */
  #report(error: Error): void {
    try {
      this.onerror?.(error);
    } catch {}
  }

  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#report(new Error("a listener threw", { cause: error }));
    }
  }
}

/** The id comes first, where the HTTP link reads it from the body; with JSON.stringify, order is kept. */
function requestMessage(
  id: number,
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  wantsProgress: boolean,
): JSONRPCRequest {
  if (params === undefined && !wantsProgress) return { jsonrpc: "2.0", id, method };
  if (!wantsProgress) return { jsonrpc: "2.0", id, method, params };
  const meta = typeof params?._meta === "object" ? params._meta : undefined;
  return { jsonrpc: "2.0", id, method, params: { ...params, _meta: { ...meta, progressToken: id } } };
}

function progressOf(params: Readonly<Record<string, unknown>> | undefined): Progress {
  const { progress, total, message } = params ?? {};
  return {
    progress: Number(progress),
    ...(typeof total === "number" && { total }),
    ...(typeof message === "string" && { message }),
  };
}

/**
 * Parameters that cannot be read, or that JSON cannot express, are the caller's mistake and say nothing about the
 * connection or the server, so that the failure is treated as an answer: nothing is retired, nothing is repeated, and the
 * caller gets the error.
 */
function mistake(cause: unknown): RequestFailure {
  return new RequestFailure("answered", "the parameters cannot be written as JSON", { cause });
}

function mistakeIn(message: JSONRPCRequest): RequestFailure | undefined {
  try {
    JSON.stringify(message);
    return undefined;
  } catch (cause) {
    return mistake(cause);
  }
}

function asFailure(error: unknown, pending: PendingRequest): RequestFailure {
  if (error instanceof RequestFailure) return error;
  const judgement = pending.sent ? "outcome-unknown" : "not-sent";
  return new RequestFailure(judgement, error instanceof Error ? error.message : "sending failed", { cause: error });
}

/** Makes the failure of a request that was aborted before anything of it was sent. */
function abortedFailure(signal: AbortSignal): RequestFailure {
  return new RequestFailure("aborted", "aborted before it was sent", { cause: signal.reason });
}
