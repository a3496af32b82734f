import {
  type ConnectionRequestOptions,
  type Progress,
  type RequestEnd,
  RequestFailure,
  type StartedRequest,
} from "@mcp-pool/core";
import type { JSONRPCErrorResponse, JSONRPCResultResponse } from "@modelcontextprotocol/sdk/types.js";
import type { SdkParts } from "../sdk-binding.ts";
import type { OutgoingRequest } from "./link.ts";

/** What a request tells the exchange that sent it. */
export interface PendingRequestHost {
  /** The caller has gone; the request stays open for its late answer. */
  onAbandoned(request: PendingRequest): void;
  onEnded(request: PendingRequest): void;
}

/** A request that waits for its answer, or, once abandoned, for its late answer. */
export class PendingRequest implements OutgoingRequest, StartedRequest {
  readonly id: number;
  readonly method: string;
  readonly headers: ConnectionRequestOptions["headers"];
  sent = false;

  readonly #onProgress: ConnectionRequestOptions["onProgress"];
  readonly #end: RequestEnd;
  readonly #host: PendingRequestHost;
  #state: "waiting" | "abandoned" | "answered" | "failed" = "waiting";
  #lateAnswered: ((hasArrived: boolean) => void) | undefined;

  constructor(
    id: number,
    method: string,
    { headers, onProgress }: Pick<ConnectionRequestOptions, "headers" | "onProgress">,
    end: RequestEnd,
    host: PendingRequestHost,
  ) {
    this.id = id;
    this.method = method;
    this.headers = headers;
    this.#onProgress = onProgress;
    this.#end = end;
    this.#host = host;
  }

  get isOpen(): boolean {
    return this.#state === "waiting" || this.#state === "abandoned";
  }

  get isAnswered(): boolean {
    return this.#state === "answered";
  }

  progress(progress: Progress): void {
    if (this.#state === "waiting") this.#onProgress?.(progress);
  }

  /** Ends with what the server answered, be it a result or an error. */
  answer(message: JSONRPCResultResponse | JSONRPCErrorResponse, rpcError: SdkParts["rpcError"]): void {
    if (!this.#close("answered")) return;
    if ("result" in message) {
      this.#end.onResult(message.result);
      return;
    }
    const { code, message: text, data } = message.error;
    const cause = rpcError(code, text, data);
    this.#end.onFailure(new RequestFailure("answered", cause.message, { cause }));
  }

  fail(failure: RequestFailure): void {
    if (this.#close("failed")) this.#end.onFailure(failure);
  }

  /** Fails as aborted; the request stays open for its late answer if it may be running. */
  abort(cause: unknown): void {
    if (this.#state !== "waiting") return;
    if (!this.sent) {
      this.fail(new RequestFailure("aborted", "aborted before it was sent", { cause }));
      return;
    }
    this.#state = "abandoned";
    const lateAnswer = new Promise<boolean>((resolve) => {
      this.#lateAnswered = resolve;
    });
    this.#end.onFailure(new RequestFailure("aborted", "aborted", { cause, lateAnswer }));
    this.#host.onAbandoned(this);
  }

  /** Returns whether somebody is still to be told of the end. */
  #close(state: "answered" | "failed"): boolean {
    if (!this.isOpen) return false;
    this.#state = state;
    this.#host.onEnded(this);
    if (this.#lateAnswered === undefined) return true;
    this.#lateAnswered(state === "answered");
    return false;
  }
}
