import type { Checker } from "./checker.ts";
import type { Closer } from "./closer.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionSet } from "./connection-set.ts";
import type { McpPoolError } from "./errors.ts";
import type { WaitQueue } from "./wait-queue.ts";

/** The parts of a pool that growth looks at. */
export interface GrowthParts {
  readonly set: ConnectionSet;
  readonly queue: WaitQueue;
  readonly checker: Checker;
  readonly closer: Closer;
}

/** What growth tells its pool. */
export interface GrowthHost {
  onOpened(entry: ConnectionEntry, durationMs: number): void;
  onOpenFailed(error: McpPoolError): void;
  /** A place is free, or the time to try again has come. */
  dispatch(): void;
  /** Callers wait for the server's in-flight limit, not for a connection. */
  onLimited(): void;
  /** All places are taken, and so many connections are missing: give up idle ones that are kept for a key. */
  onCrowded(missing: number): void;
  /** Whether connections may be opened that no caller waits for. */
  admitsRefill(): boolean;
  /** Callers that only a new connection serves. */
  fresh(): number;
}
