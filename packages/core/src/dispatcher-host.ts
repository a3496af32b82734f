import type { ConnectionEntry } from "./connection-entry.ts";
import type { McpPoolError } from "./errors.ts";
import type { Admission } from "./plugin.ts";
import type { Expiry, Waiter } from "./waiter.ts";

/** What a dispatcher asks of, and tells, its pool. */
export interface DispatcherHost {
  /** Returns why nothing may be acquired now. */
  admit(asker: Admission): McpPoolError | undefined;
  expiryError(waiter: Waiter, expiry: Expiry, lastConnectError: McpPoolError | undefined): unknown;
  sessionLostError(stickyKey: string): McpPoolError;
  closedError(): McpPoolError;
  /** A caller has left the queue without a connection. */
  onLeft(waiter: Waiter, error: unknown): void;
  onOpened(entry: ConnectionEntry, durationMs: number): void;
  onOpenFailed(error: McpPoolError): void;
  /** The entry serves nobody from now on. */
  onStopped(entry: ConnectionEntry): void;
  /** Nothing is left of a closed pool. */
  onEmpty(): void;
}
