import type { CircuitState } from "./circuit-breaker.ts";
import type { HandlerKind } from "./client-handlers.ts";
import type { CloseReason, ConnectionEndpoint, Judgement, McpConnection, ServerNotification } from "./connector.ts";
import type { McpPoolError } from "./errors.ts";

/** What every event says of where it comes from. */
export interface PoolEventSource {
  readonly serverName: string;
  readonly identity: string | undefined;
  /** Name of the pool: the server's, or `server#2` and so on where the server has several pools. */
  readonly poolName: string;
}

/** What can happen in a pool. Times are in milliseconds. */
export type PoolEventDetail =
  | {
      readonly type: "connection-opened";
      readonly connectionId: number;
      readonly durationMs: number;
      /** Where it leads; the process id of a stdio server, for one. */
      readonly endpoint: ConnectionEndpoint;
      readonly era: McpConnection["era"];
      /** The revision of the protocol that both sides speak, as far as it is known. */
      readonly protocolVersion: string | undefined;
    }
  | {
      readonly type: "connection-failed";
      readonly connectionId: number;
      readonly durationMs: number;
      readonly error: McpPoolError;
    }
  | { readonly type: "connection-suspected"; readonly connectionId: number; readonly cause: unknown }
  | { readonly type: "connection-cleared"; readonly connectionId: number }
  /** The server had forgotten the connection's session, and another one took its place. */
  | { readonly type: "session-renewed"; readonly connectionId: number }
  /** A server process wrote to stderr; secrets that are known are blotted out. */
  | { readonly type: "stderr-written"; readonly connectionId: number; readonly lines: readonly string[] }
  | { readonly type: "connection-retired"; readonly connectionId: number; readonly reason: CloseReason }
  | {
      readonly type: "connection-closed";
      readonly connectionId: number;
      readonly reason: CloseReason;
      readonly ageMs: number;
      readonly uses: number;
      readonly cause: unknown;
    }
  | {
      readonly type: "lease-acquired";
      readonly connectionId: number;
      readonly leaseId: number;
      readonly waitMs: number;
      /** Whether an open connection had room at once. */
      readonly isHit: boolean;
    }
  | { readonly type: "lease-released"; readonly connectionId: number; readonly leaseId: number; readonly useMs: number }
  | { readonly type: "lease-released-again"; readonly connectionId: number; readonly leaseId: number }
  | {
      readonly type: "lease-leaked";
      readonly connectionId: number;
      readonly leaseId: number;
      readonly heldMs: number;
      /** The stack that acquired the lease. */
      readonly stack: string;
    }
  | { readonly type: "acquire-queued"; readonly waiting: number }
  | {
      readonly type: "acquire-failed";
      /** Who wanted a connection: an attempt of a request, or someone who acquires a lease. */
      readonly kind: "request" | "acquire";
      readonly waitMs: number;
      readonly error: unknown;
    }
  | {
      /** One attempt of a request has ended. */
      readonly type: "request-finished";
      readonly connectionId: number;
      readonly method: string;
      /** The tool's or the prompt's name, where the request has one. */
      readonly target: string | undefined;
      readonly durationMs: number;
      /** Time until the request had room, and whether it had it at once. */
      readonly waitMs: number;
      readonly isHit: boolean;
      /** Whether it took room of its own; else it ran on room that was taken before, such as that of a lease. */
      readonly hasOwnRoom: boolean;
      readonly judgement: Judgement | "ok";
      /** Whether the answer was a tool result with `isError`. */
      readonly isToolError: boolean;
      readonly error: unknown;
    }
  | {
      /** A request has ended for its caller, after all its attempts, or without any. */
      readonly type: "request-settled";
      readonly method: string;
      readonly target: string | undefined;
      readonly durationMs: number;
      readonly isToolError: boolean;
      /** Whether its caller gave up. */
      readonly isAborted: boolean;
      /** What the caller's promise rejects with; `undefined` when it resolves. */
      readonly error: unknown;
    }
  | {
      readonly type: "request-retried";
      /** The connection of the attempt that failed, if it had one. */
      readonly connectionId: number | undefined;
      readonly method: string;
      readonly target: string | undefined;
      /** Number of the attempt to come, from 2. */
      readonly attempt: number;
      /** What the failure of the last attempt was judged. */
      readonly judgement: Judgement;
      readonly delayMs: number;
      readonly error: unknown;
    }
  | {
      readonly type: "circuit-state-changed";
      readonly from: CircuitState;
      readonly to: CircuitState;
      readonly isForced: boolean;
      /** Time until a trial may pass; there while the circuit is open and not held open. */
      readonly retryAfterMs: number | undefined;
    }
  | { readonly type: "circuit-rejected"; readonly state: CircuitState; readonly retryAfterMs: number | undefined }
  | { readonly type: "health-check-started"; readonly timeoutMs: number }
  | {
      readonly type: "health-check-passed";
      readonly durationMs: number;
      /** Passed checks in a row, and how many of them speak for the server. */
      readonly passesInRow: number;
      readonly successThreshold: number;
    }
  | {
      readonly type: "health-check-failed";
      readonly durationMs: number;
      /** Failed checks in a row, and how many of them speak against the server. */
      readonly failuresInRow: number;
      readonly failureThreshold: number;
      readonly error: McpPoolError;
    }
  | {
      /** Connects wait, since earlier ones failed or their connections lived for a short time only. */
      readonly type: "connects-paused";
      readonly delayMs: number;
      /** Failures in a row, short lives included. */
      readonly strikes: number;
    }
  | { readonly type: "sticky-key-evicted"; readonly connectionId: number; readonly stickyKey: string }
  | { readonly type: "sticky-key-lost"; readonly connectionId: number; readonly stickyKey: string }
  | { readonly type: "notification-received"; readonly connectionId: number; readonly notification: ServerNotification }
  | {
      /** A handler of ours threw at a question of the server; the server was told so. */
      readonly type: "handler-failed";
      /** There once the connection is open. */
      readonly connectionId: number | undefined;
      readonly kind: HandlerKind;
      readonly error: unknown;
    }
  | {
      readonly type: "pool-reconfigured";
      /** Whether connections are made of something else from now on. */
      readonly isRenewed: boolean;
    }
  | { readonly type: "listener-failed"; readonly error: unknown }
  | { readonly type: "pool-closed" };

/** One thing that happened in a pool. */
export type PoolEvent = PoolEventDetail & PoolEventSource;

/** Receives events; what it throws is reported as `listener-failed` and hurts nobody. */
export type PoolEventListener = (event: PoolEvent) => void;
