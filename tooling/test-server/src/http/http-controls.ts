import type { ExecutionCounts } from "../read-ledger.ts";
import type { FaultMoment, FaultTarget } from "./fault-queue.ts";
import type { SessionCounts } from "./http-sessions.ts";
import type { DropStreamsOptions } from "./open-responses.ts";

/** What a test may do to an HTTP test server; `POST /control/<name>` does the same from another process. */
export interface HttpControls {
  /** Counts what happened so far. */
  stats(): HttpStats;
  /** Forgets every session and returns how many there were; requests under way are still answered. */
  expireSessions(): number;
  /** Answers the next requests with a status. */
  failNext(options: FailNextOptions): void;
  /** Destroys the socket of the next requests. */
  resetNext(options?: LoseNextOptions): void;
  /** Leaves the next requests without an answer. */
  hangNext(options?: LoseNextOptions): void;
  /** Answers the next requests with an event stream that goes on for ever and holds no answer. */
  dripNext(options?: FaultTarget): void;
  /** Forgets the faults that met nobody. */
  clearFaults(): void;
  /** Breaks the open responses and returns how many there were. */
  dropStreams(options?: DropStreamsOptions): number;
  /** Answers 401 from now on to MCP requests without this token; undefined asks for none. */
  requireBearerToken(token: string | undefined): void;
}

/** Which status the next requests meet. */
export interface FailNextOptions extends FaultTarget {
  readonly status: number;
  /** Sends a `Retry-After` header: seconds or a date. @default none */
  readonly retryAfter?: number | string;
  /** Code of the JSON-RPC error in the body. @default -32000, without the request's id */
  readonly rpcCode?: number;
}

/** When the next requests are lost. */
export interface LoseNextOptions extends FaultTarget {
  /** Loses the request itself, or only the answer after its execution. @default "before" */
  readonly when?: FaultMoment;
}

/** Counts of an HTTP test server. */
export interface HttpStats {
  readonly sessions: SessionCounts;
  /** Ids of the live sessions. */
  readonly sessionIds: readonly string[];
  /** Messages that arrived, by JSON-RPC method, refused ones included. */
  readonly requests: Readonly<Record<string, number>>;
  /** Requests to the MCP routes, by HTTP method. */
  readonly httpRequests: Readonly<Record<string, number>>;
  readonly sockets: { readonly open: number; readonly opened: number };
  /** Responses that are not finished: those that answer a request, and those that listen (GET). */
  readonly responses: { readonly requests: number; readonly listening: number };
  /** Executions of the counting tools, by key. */
  readonly executions: Readonly<Record<string, ExecutionCounts>>;
}
