import type { ConnectionSet } from "./connection-set.ts";
import type { PoolContext } from "./context.ts";

/** A snapshot of one pool; plain numbers, ready for JSON. */
export interface PoolStats {
  readonly poolName: string;
  readonly serverName: string;
  readonly identity: string | undefined;
  readonly sharing: "shared" | "exclusive";
  readonly isClosed: boolean;
  /** Connections by state. `total` is all but `closed`; it is above `max` only while connections of an earlier configuration drain. */
  readonly connections: {
    readonly total: number;
    readonly active: number;
    readonly idle: number;
    readonly connecting: number;
    readonly ready: number;
    readonly busy: number;
    readonly checking: number;
    readonly draining: number;
    readonly closing: number;
    readonly min: number;
    readonly max: number;
  };
  /** Requests and leases on connections now, the room they may take, and the highest number seen. */
  readonly inFlight: number;
  readonly room: number;
  readonly peakActive: number;
  /** Callers waiting, and leases held. */
  readonly waiting: number;
  readonly leases: number;
  /** Connections closed by a failure in the last five minutes. */
  readonly recentFailures: number;
  readonly counters: Readonly<PoolCounters>;
}

/** Totals since the pool was made. */
export interface PoolCounters extends CountedTotals {
  /** Leases and requests that took room, and gave it back. */
  readonly borrowed: number;
  readonly returned: number;
  /** Callers that joined the wait queue and were served. */
  readonly granted: number;
}

/** Totals that are counted; the others follow from them. */
export type CountedTotals = FrequentTotals & SeldomTotals;

/** What each lease and request counts. */
export interface FrequentTotals {
  /** Served at once by an open connection, or not. */
  hits: number;
  misses: number;
  requests: number;
}

/** What is counted less often. */
export class SeldomTotals {
  /** Connections opened, closed, and closed by a failure; connects that failed. */
  created = 0;
  destroyed = 0;
  lost = 0;
  connectFailures = 0;
  /** Callers that joined the wait queue, and how each of them left it if nobody served it. */
  queued = 0;
  timedOut = 0;
  aborted = 0;
  rejected = 0;
  requestErrors = 0;
  readonly errors = {
    connection: 0,
    timeout: 0,
    validation: 0,
    poolExhausted: 0,
    circuitOpen: 0,
    outcomeUnknown: 0,
    tool: 0,
  };
}

/** What a snapshot is taken of. */
export interface StatsSource {
  readonly context: PoolContext;
  readonly set: ConnectionSet;
  readonly connecting: number;
  readonly waiting: number;
  readonly leases: number;
  readonly roomPerConnection: number;
  readonly recentFailures: number;
  readonly isClosed: boolean;
}

/** Takes a snapshot of a pool. */
export function poolStats({
  context,
  set,
  connecting,
  waiting,
  leases,
  roomPerConnection,
  recentFailures,
  isClosed,
}: StatsSource): PoolStats {
  const { poolName, serverName, identity, options, counters, hits, misses, requests } = context;
  const borrowed = hits + misses;
  return {
    poolName,
    serverName,
    identity,
    sharing: options.sharing,
    isClosed,
    connections: {
      total: set.size + connecting,
      active: set.active,
      idle: set.idle,
      connecting,
      ready: set.ready.size + set.bound.size,
      busy: set.busy.size,
      checking: set.checking.size,
      draining: set.draining.size,
      closing: set.closing.size,
      min: options.minConnections,
      max: options.maxConnections,
    },
    inFlight: set.inFlight,
    room: roomPerConnection * options.maxConnections,
    peakActive: set.peakActive,
    waiting,
    leases,
    recentFailures,
    counters: {
      borrowed,
      returned: borrowed - set.inFlight,
      granted: misses,
      hits,
      misses,
      requests,
      ...counters,
      errors: { ...counters.errors },
    },
  };
}
