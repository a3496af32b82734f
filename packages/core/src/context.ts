import type { CapacityClaimant } from "./capacity.ts";
import type { Clock } from "./clock.ts";
import type { Connector } from "./connector.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { EventHub } from "./event-hub.ts";
import type { ResolvedPoolOptions } from "./options.ts";
import type { ServerState } from "./server-state.ts";
import type { CountedTotals } from "./stats.ts";

/** Shares the global cap on connections between pools. */
export interface Capacity {
  /** Takes a unit, or remembers the claimant and returns false. */
  take(claimant: CapacityClaimant, isForMinimum: boolean): boolean;
  give(): void;
  /** Withdraws a claimant that waits. */
  withdraw(claimant: CapacityClaimant): void;
}

/** What the parts of one pool share. */
export interface PoolContext {
  readonly poolName: string;
  readonly serverName: string;
  readonly identity: string | undefined;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly events: EventHub;
  readonly counters: CountedTotals;
  readonly server: ServerState;
  readonly capacity: Capacity | undefined;
  connector: Connector;
  options: ResolvedPoolOptions;
}
