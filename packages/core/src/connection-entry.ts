import type { Attempt } from "./attempt.ts";
import type { ClientHandlers, HandlerKind } from "./client-handlers.ts";
import type { McpConnection, Unsubscribe } from "./connector.ts";
import type { Deadline } from "./deadline-wheel.ts";
import { LinkedList, type ListItem } from "./linked-list.ts";
import type { ConnectionState, PooledConnection } from "./plugin.ts";

/** The part of its room up to which a connection is not busy enough to open another beside it. */
const TARGET_LOAD = 0.75;

const NO_KINDS: ReadonlySet<HandlerKind> = new Set();

/** One connection as the pool itself sees it. */
export class ConnectionEntry
  extends LinkedList<Attempt>
  implements PooledConnection, ListItem<ConnectionEntry>, Deadline
{
  // What each lease and request looks at comes first, and so lies in one place of the memory: the list of attempts, which
  // the entry is itself, and whole numbers, which need no memory of their own.
  state: ConnectionState = "ready";
  inFlight = 0;
  room = 0;
  uses = 0;
  readonly connection: McpConnection;
  stickyKey: string | undefined;
  timeoutsInRow = 0;
  isSuspect = false;
  /** Both in whole milliseconds, rounded down. */
  #idleSince: number;
  #lastAliveAt: number;
  readonly id: number;
  /** What it carries at the most while it is not busy enough to open another beside it; -1 with room for just one. */
  targetLoad = 0;

  /** Clock time in milliseconds up to which the server is known to have read what was sent, as far as somebody wanted to know. */
  readUpTo: number = -Infinity;
  readonly openedAt: number;
  /** Grows by one with each reconfiguration of what a connection is made of. */
  readonly generation: number;
  /** Sessions that it has had before this one. */
  renewals = 0;
  /** Subscriptions that live on this connection. */
  pins = 0;
  /** What the server was told that its client answers. */
  announced: ReadonlySet<HandlerKind> = NO_KINDS;
  /** Handlers of the lease that has the connection to itself. */
  leaseHandlers: ClientHandlers | undefined;
  isProbing = false;
  /** Gives the probe under way up, since the entry is taken out of use; set while there is one. */
  cancelProbe: (() => void) | undefined;

  previous: ConnectionEntry | undefined;
  next: ConnectionEntry | undefined;
  list: LinkedList<ConnectionEntry> | undefined;

  deadlineKey = 0;
  deadlinePrevious: Deadline | undefined;
  deadlineNext: Deadline | undefined;
  /** Ends the draining; set when the entry is retired. */
  drainEnds: (() => void) | undefined;
  unsubscribes: Unsubscribe[] = [];

  constructor(id: number, connection: McpConnection, room: number, generation: number, now: number) {
    super();
    this.id = id;
    this.connection = connection;
    this.setRoom(room);
    this.generation = generation;
    this.openedAt = now;
    this.#idleSince = Math.floor(now);
    this.#lastAliveAt = this.#idleSince;
  }

  /** Requests under way on it, abandoned ones and those of leases included. */
  get attempts(): LinkedList<Attempt> {
    return this;
  }

  get idleSince(): number {
    return this.#idleSince;
  }

  set idleSince(time: number) {
    this.#idleSince = Math.floor(time);
  }

  get lastAliveAt(): number {
    return this.#lastAliveAt;
  }

  set lastAliveAt(time: number) {
    this.#lastAliveAt = Math.floor(time);
  }

  setRoom(room: number): void {
    this.room = room;
    this.targetLoad = room > 1 ? Math.floor(room * TARGET_LOAD) : -1;
  }

  get isPinned(): boolean {
    return this.pins > 0;
  }

  get era(): McpConnection["era"] {
    return this.connection.era;
  }

  get server(): McpConnection["server"] {
    return this.connection.server;
  }

  get endpoint(): McpConnection["endpoint"] {
    return this.connection.endpoint;
  }

  /** Whether the entry may still serve, now or after a check. */
  get isUsable(): boolean {
    return this.state === "ready" || this.state === "busy" || this.state === "checking";
  }

  /** Whether a lease of it that ends leaves nothing behind. */
  get isUntouched(): boolean {
    return this.attempts.size === 0 && this.leaseHandlers === undefined;
  }

  onDeadline(): void {
    this.drainEnds?.();
  }
}
