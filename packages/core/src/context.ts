import type { CapacityClaimant } from "./capacity.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { Connector } from "./connector.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { EventHub, type EventWishes } from "./event-hub.ts";
import type { FastLane } from "./fast-lane.ts";
import type { ResolvedPoolOptions } from "./options.ts";
import type { ServerState } from "./server-state.ts";
import { type FrequentTotals, SeldomTotals } from "./stats.ts";

/** Shares the global cap on connections between pools. */
export interface Capacity {
  /** Takes a unit, or remembers the claimant and returns false. */
  take(claimant: CapacityClaimant, isForMinimum: boolean): boolean;
  give(): void;
  /** Withdraws a claimant that waits. */
  withdraw(claimant: CapacityClaimant): void;
}

/** What a {@link PoolContext} is made with. */
export type PoolContextParts = Pick<
  PoolContext,
  "poolName" | "serverName" | "identity" | "clock" | "wheel" | "server" | "capacity" | "connector" | "options"
>;

/** What the parts of one pool share. */
export class PoolContext implements EventWishes, FrequentTotals, FastLane {
  // What each lease and request looks at comes first, and so lies in one place of the memory, which with many pools is what a
  // request costs.
  next: ConnectionEntry | undefined;
  lent: ConnectionEntry | undefined;
  options: ResolvedPoolOptions;
  readonly clock: Clock;
  hits = 0;
  requests = 0;
  wantsSettled = false;
  wantsFinished = false;
  readonly wheel: DeadlineWheel;
  wantsLeases = false;
  misses = 0;
  readonly serverName: string;
  wantsQueued = false;
  wantsAcquired = false;
  wantsReleased = false;
  readonly counters: SeldomTotals = new SeldomTotals();
  readonly server: ServerState;
  readonly events: EventHub;
  readonly capacity: Capacity | undefined;
  connector: Connector;
  readonly poolName: string;
  readonly identity: string | undefined;

  constructor(parts: PoolContextParts) {
    this.options = parts.options;
    this.clock = parts.clock;
    this.wheel = parts.wheel;
    this.serverName = parts.serverName;
    this.server = parts.server;
    this.capacity = parts.capacity;
    this.connector = parts.connector;
    this.poolName = parts.poolName;
    this.identity = parts.identity;
    this.events = new EventHub(this);
  }
}
