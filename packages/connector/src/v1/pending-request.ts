import { type ConnectionRequestOptions, type Progress, RequestFailure } from "@mcp-pool/core";
import type { JSONRPCErrorResponse, JSONRPCResultResponse } from "@modelcontextprotocol/sdk/types.js";
import type { SdkParts } from "../sdk-binding.ts";
import type { OutgoingRequest } from "./link.ts";

/** A request that waits for its answer, or, once abandoned, for its late answer. */
export class PendingRequest implements OutgoingRequest {
  readonly id: number;
  readonly method: string;
  readonly headers: ConnectionRequestOptions["headers"];
  sent = false;

  readonly #options: ConnectionRequestOptions;
  readonly #resolve: (result: unknown) => void;
  readonly #reject: (failure: RequestFailure) => void;
  readonly #onChange: () => void;
  #state: "waiting" | "abandoned" | "answered" | "failed" = "waiting";
  #lateAnswered: ((hasArrived: boolean) => void) | undefined;

  /** @param onChange Called when the request stops waiting, and when it ends. */
  constructor(
    id: number,
    method: string,
    options: ConnectionRequestOptions,
    resolve: (result: unknown) => void,
    reject: (failure: RequestFailure) => void,
    onChange: () => void,
  ) {
    this.id = id;
    this.method = method;
    this.headers = options.headers;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onChange = onChange;
  }

  get isOpen(): boolean {
    return this.#state === "waiting" || this.#state === "abandoned";
  }

  get isAnswered(): boolean {
    return this.#state === "answered";
  }

  progress(progress: Progress): void {
    if (this.#state === "waiting") this.#options.onProgress?.(progress);
  }

  /** Settles with what the server answered, be it a result or an error. */
  answer(message: JSONRPCResultResponse | JSONRPCErrorResponse, rpcError: SdkParts["rpcError"]): void {
    this.#end("answered", () => {
      if ("result" in message) {
        this.#resolve(message.result);
        return;
      }
      const { code, message: text, data } = message.error;
      const cause = rpcError(code, text, data);
      this.#reject(new RequestFailure("answered", cause.message, { cause }));
    });
  }

  fail(failure: RequestFailure): void {
    this.#end("failed", () => this.#reject(failure));
  }

  /** Rejects as aborted; the request stays open for its late answer if it may be running. */
  abandon(): void {
    if (this.#state !== "waiting") return;
    const cause: unknown = this.#options.signal.reason;
    if (!this.sent) {
      this.fail(new RequestFailure("aborted", "aborted before it was sent", { cause }));
      return;
    }
    this.#state = "abandoned";
    const lateAnswer = new Promise<boolean>((resolve) => {
      this.#lateAnswered = resolve;
    });
    this.#reject(new RequestFailure("aborted", "aborted", { cause, lateAnswer }));
    this.#onChange();
  }

  #end(state: "answered" | "failed", settle: () => void): void {
    if (!this.isOpen) return;
    this.#state = state;
    this.#onChange();
    if (this.#lateAnswered === undefined) settle();
    else this.#lateAnswered(state === "answered");
  }
}
