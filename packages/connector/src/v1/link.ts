import type {
  ConnectionEndpoint,
  ConnectionEvent,
  ConnectionRequestOptions,
  Judgement,
  RequestFailure,
} from "@mcp-pool/core";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCRequest } from "@modelcontextprotocol/sdk/types.js";
import type { SdkParts } from "../sdk-binding.ts";

/** One request on its way, as the link beneath sees it. */
export interface OutgoingRequest {
  readonly id: number;
  readonly headers: ConnectionRequestOptions["headers"];
  /** Latches to true before the first byte may leave; from then on the request may have run. */
  sent: boolean;
  /** False once the answer has come or the request has failed. An abandoned request is still open. */
  readonly isOpen: boolean;
  /** True once the answer has come. */
  readonly isAnswered: boolean;
  /** Ends the request without an answer; does nothing if it has ended. */
  fail(failure: RequestFailure): void;
}

/** How an ending is carried out: `polite` gives the server time, `hurried` is for a connection that never opened. */
export type EndManner = "polite" | "hurried";

/** Why a connection could not be opened, in the words of its transport. */
export interface OpenProblem {
  readonly reason: string;
  readonly judgement?: Judgement | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Where the cause is not what tells it. */
  readonly code?: string | undefined;
}

/** One kind of transport beneath a connection: what differs between stdio, HTTP and in-memory. */
export interface Link {
  /** The SDK that it is built from. */
  readonly sdk: SdkParts;
  readonly transport: Transport;
  readonly endpoint: ConnectionEndpoint;
  /** Names the endpoint in messages, without secrets. */
  readonly label: string;
  /**
   * Sends a request's message. What returns no promise fails the request itself.
   * @throws {RequestFailure}
   */
  sendRequest(message: JSONRPCRequest, request: OutgoingRequest): Promise<void> | undefined;
  /** Lets go of whatever is kept for a request that has ended. */
  forgetRequest(id: number): void;
  /** Says why the connection ended by itself, as far as that is known. */
  lostCause(): Error | undefined;
  /** Puts the failure of an opening into words. */
  explain(error: unknown): OpenProblem;
  /** Starts to tell of what happens beneath, what came earlier included; called once, where there is something to tell. */
  listen?(listener: (event: ConnectionEvent) => void): void;
  /** Ends the transport and all beneath it, in bounded time. Called once. */
  end(manner: EndManner): Promise<void>;
}
