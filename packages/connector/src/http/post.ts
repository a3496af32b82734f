import type { OutgoingRequest } from "../v1/link.ts";
import { retryAfterMsOf } from "./retry-after.ts";

/** How an HTTP exchange ended: with a response, or without one. */
export type Leg =
  | {
      readonly kind: "response";
      readonly status: number;
      readonly mediaType: string | undefined;
      readonly retryAfterMs: number | undefined;
      /** The session the request was sent in. */
      readonly sessionId: string | undefined;
      /** The JSON-RPC error in the body of a refusal. */
      readonly rpcError: RpcError | undefined;
    }
  | {
      readonly kind: "no-response";
      readonly error: unknown;
      /** Whether there was a socket for certain, so that something may have been sent, whatever the error. */
      readonly wasConnected?: boolean | undefined;
    };

/** An HTTP exchange that ended with a response. */
export type ResponseLeg = Extract<Leg, { readonly kind: "response" }>;

/** A JSON-RPC error in a body. */
export interface RpcError {
  readonly id: unknown;
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** One request's way over HTTP: the POST, perhaps repeated by the SDK after an authorisation, and its resumed streams. */
export class Post {
  readonly request: OutgoingRequest;
  /** The last leg of the POST itself. */
  leg: Leg | undefined;
  /** Id of the last event on the response stream; a stream with ids can be resumed. */
  lastEventId: string | undefined;
  /** Whether the SDK's transport reads the stream, and would resume it. */
  isReadBySdk = false;
  /** Whether a response stream is open that is read here. */
  isStreaming = false;
  /** Attempts to resume that failed in a row. */
  resumeFailures = 0;
  /** Runs while the SDK may still be reading what a stream brought before it ended. */
  graceTimer: NodeJS.Timeout | undefined;
  /** Aborts what is under way. */
  abortLeg: ((reason: Error) => void) | undefined;

  #ended: Error | undefined;
  #controller: AbortController | undefined;

  constructor(request: OutgoingRequest) {
    this.request = request;
  }

  get id(): number {
    return this.request.id;
  }

  /** Aborts at the end; made for those who need one. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    }
    return this.#controller.signal;
  }

  /** Ends the POST and its streams. */
  end(): void {
    this.#ended = new DOMException("nobody waits for the answer any more", "AbortError");
    this.#controller?.abort(this.#ended);
    this.abortLeg?.(this.#ended);
  }

  /** @throws an AbortError once it has ended */
  throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }
}

/** Notes a response, the body aside. */
export function legOf(
  status: number,
  headerOf: (name: string) => string | undefined,
  sessionId: string | undefined,
): ResponseLeg {
  return {
    kind: "response",
    status,
    mediaType: headerOf("content-type")?.split(";")[0]?.trim().toLowerCase(),
    retryAfterMs: retryAfterMsOf(headerOf("retry-after")),
    sessionId,
    rpcError: undefined,
  };
}

const REQUEST_ID = /^\{"jsonrpc":"2\.0","id":(\d+),/;

/** Reads the id off the head of a body that the exchange wrote: the id comes first there. */
export function requestIdOf(body: unknown): number | undefined {
  const match = typeof body === "string" ? REQUEST_ID.exec(body) : null;
  return match === null ? undefined : Number(match[1]);
}

/** Finds the JSON-RPC error in a body, if there is one. */
export function rpcErrorOf(text: string): RpcError | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("error" in value)) return undefined;
  const { error } = value;
  if (typeof error !== "object" || error === null || !("code" in error) || typeof error.code !== "number") {
    return undefined;
  }
  const message = "message" in error ? String(error.message) : "";
  return {
    id: "id" in value ? value.id : undefined,
    code: error.code,
    message,
    data: "data" in error ? error.data : undefined,
  };
}
