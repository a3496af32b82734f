import type { Clock } from "./clock.ts";
import type {
  CloseReason,
  ConnectionEndpoint,
  ConnectRequest,
  McpConnection,
  ServerDescription,
  Unsubscribe,
} from "./connector.ts";
import type { McpPoolError } from "./errors.ts";
import type { PoolEventType } from "./event-hub.ts";
import type { PoolEventDetail, PoolEventListener } from "./events.ts";
import type { RequestOptions, ResolvedPoolOptions } from "./options.ts";
import type { PoolStats } from "./stats.ts";

/**
 * Where a connection stands.
 *
 * - `ready`: has room · `busy`: all room taken · `checking`: a probe decides whether it may be lent
 * - `draining`: takes no new work · `closing` and `closed`
 */
export type ConnectionState = "ready" | "busy" | "checking" | "draining" | "closing" | "closed";

/** A read-only view of one connection of a pool. */
export interface PooledConnection {
  /** Unique within the pool. */
  readonly id: number;
  readonly state: ConnectionState;
  /** Leases and requests on it. */
  readonly inFlight: number;
  /** Leases and requests it can carry at one time. */
  readonly room: number;
  /** Leases and requests it has carried, those in flight included. */
  readonly uses: number;
  /** Clock time in milliseconds at which it was opened. */
  readonly openedAt: number;
  /** Clock time in milliseconds since when nothing is on it; meaningless while `inFlight` is above 0. */
  readonly idleSince: number;
  /** Clock time in milliseconds of the last sign of life. */
  readonly lastAliveAt: number;
  /** The key whose state it keeps, if it keeps one. */
  readonly stickyKey: string | undefined;
  /** Whether something, such as a resource subscription, keeps it from being closed as idle. */
  readonly isPinned: boolean;
  readonly server: ServerDescription;
  readonly endpoint: ConnectionEndpoint;
  readonly era: McpConnection["era"];
}

/** One request on its way through the wraps of a pool. */
export interface PoolRequest {
  readonly method: string;
  /** A plugin may put others in their place; it never changes the caller's own. */
  params: Readonly<Record<string, unknown>> | undefined;
  readonly options: RequestOptions;
  /** Clock time in milliseconds by which the whole request ends; a plugin may bring it forward. */
  deadlineAt: number;
  /** Time for one attempt in milliseconds, below the pool's; a plugin may set it. */
  attemptTimeoutMs: number | undefined;
  /** The lease it runs on, if it runs on one; then no other connection will do. */
  readonly lease: HeldLease | undefined;
  /** The connection of the latest attempt. */
  connectionId: number | undefined;
  /** A connection that the next attempt does not run on, if another can be had. */
  avoid: number | undefined;
  /** Whether the next attempt wants a connection that is opened from now on, if the limits allow one. */
  isFreshWanted: boolean;
  /** Whether an attempt so far may have run on the server. */
  mayHaveRun?: boolean;
  /** How progress puts `deadlineAt` off, where the caller asked for it. */
  readonly stretch?: DeadlineStretch | undefined;
  /** Receives the room of the attempt that succeeds, where others are to follow it on its connection. */
  readonly hold?: RoomHold | undefined;
}

/** Keeps the room of one request for those that follow it. */
export interface RoomHold {
  /** Is told where a request goes, before it is sent. */
  begin(connection: PooledConnection): void;
  /** Takes the room over, or returns false. */
  keep(connection: PooledConnection): boolean;
}

/** How progress puts a deadline off. */
export interface DeadlineStretch {
  /** Milliseconds that each report gives anew. */
  readonly byMs: number;
  /** Clock time in milliseconds that it never passes; a plugin may bring it forward. */
  latestAt: number;
}

/** Who asks for a connection: a request, someone who acquires a lease, or the pool itself for its minimum. */
export type Admission = PoolRequest | "lease" | "refill";

/** Runs one request, or one attempt of it. */
export type Request = (request: PoolRequest) => Promise<unknown>;

/** Opens one connection. */
export type Connect = (request: ConnectRequest) => Promise<McpConnection>;

/** What a plugin adds to one pool. */
export interface PluginInstallation {
  /** Returns why nothing may be acquired now. Acquires ask at once, and all who wait when their turn comes. */
  admit?(asker: Admission): McpPoolError | undefined;
  /** Wraps the opening of each connection. */
  connect?(next: Connect): Connect;
  /** Wraps each request; the first plugin listed is the outermost. */
  request?(next: Request): Request;
  /** What users reach through `pool.plugin(name)`. */
  readonly handle?: unknown;
  /** Ends the plugin, after `pool-closed`. */
  dispose?(): void;
}

/** Extends pools. `install` is called once per pool, so the state of one server never mixes with another's. */
export interface PoolPlugin {
  readonly name: string;
  install(pool: PoolControl): PluginInstallation;
}

/** What a plugin may see of a pool and do to it. */
export interface PoolControl {
  readonly poolName: string;
  readonly serverName: string;
  readonly identity: string | undefined;
  readonly clock: Clock;
  /** The options in force; they change when the pool is reconfigured. */
  readonly options: ResolvedPoolOptions;
  /** Listens to all events, or to the given types; an event that nobody wants costs nothing. */
  subscribe(listener: PoolEventListener, types?: readonly PoolEventType[]): Unsubscribe;
  stats(): PoolStats;
  connections(): Iterable<PooledConnection>;
  /** Takes a connection out of use: it closes at once when nothing is on it, and else drains. */
  retire(connection: PooledConnection, reason: CloseReason): void;
  /** Looks again at who waits and what is missing: serves, refuses, and opens up to the minimum. */
  refill(): void;
  /**
   * Starts to open one connection beyond what callers and the minimum ask for, even while plugins refuse those.
   * `connection-opened` or `connection-failed` tells the end. Returns false when the limits do not allow it.
   */
  open(): boolean;
  /** Asks whether a connection is alive, without taking room on it; an answer counts as a sign of life. */
  probe(connection: PooledConnection, signal: AbortSignal): Promise<void>;
  /** Sends one request on a connection, without taking room on it, past the wraps and the counters. */
  ask(
    connection: PooledConnection,
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    signal: AbortSignal,
  ): Promise<unknown>;
  /** Whether running the request twice is declared harmless: by its options, its tool's settings, or trusted annotations. */
  isDeclaredSafe(request: PoolRequest): boolean | Promise<boolean>;
  /** Returns what the first pool of the server made under that name; all pools of a server share it. */
  shared<T>(name: string, create: () => T): T;
  /** Returns what another plugin of the pool offers, once that is installed. */
  plugin(name: string): unknown;
  /** Tells all listeners of an event. */
  emit(event: PoolEventDetail): void;
  /** Leases held now, those acquired since {@link trackLeases}. */
  leases(): Iterable<HeldLease>;
  /** Keeps track of leases from now on, with the stacks that acquired them. */
  trackLeases(): void;
}

/** A lease that is held, as the leak detector sees it. */
export interface HeldLease {
  readonly id: number;
  readonly connectionId: number;
  readonly acquiredAt: number;
  readonly stack: string | undefined;
}
