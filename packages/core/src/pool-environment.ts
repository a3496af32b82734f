import type { CapacityClaimant } from "./capacity.ts";
import type { Requester } from "./client.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Connector } from "./connector.ts";
import { type Capacity, PoolContext } from "./context.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { LateMap, LateSet } from "./late-collections.ts";
import type { ResolvedPoolOptions } from "./options.ts";
import type { RefusedCall } from "./request-records.ts";
import { ConnectBackoff, InFlightLimit, type ServerState } from "./server-state.ts";
import type { LoggingLevel } from "./session-logging.ts";

/** What a pool shares with other pools, and what tests replace. */
export interface PoolEnvironment {
  /** Supplies all time and chance. @default the machine's own clock */
  readonly clock?: Clock | undefined;
  /** Name of the pool, where a server has several. @default the server's name */
  readonly poolName?: string | undefined;
  /** On whose behalf the connections are opened. */
  readonly identity?: string | undefined;
  /** From which level on servers send log messages, until another one is set. */
  readonly loggingLevel?: LoggingLevel | undefined;
  /** Serves the deadlines of several pools with one timer; whoever made it disposes it. */
  readonly wheel?: DeadlineWheel | undefined;
  /** What all pools of one server share. */
  readonly server?: ServerState | undefined;
  /** The global cap on connections, and the pool's priority below it. */
  readonly capacity?: Capacity | undefined;
  readonly priority?: number | undefined;
  /** Receives the pool's part in the global cap. */
  readonly onClaimant?: ((claimant: CapacityClaimant) => void) | undefined;
  /** Receives what tells whether the pool has requests or subscriptions, with a connection or without. Only then are they counted. */
  readonly onActivity?: ((isActive: () => boolean) => void) | undefined;
  /** Receives what sends the requests of the pool: what its client sends them by. */
  readonly onRequester?: ((requester: Requester) => void) | undefined;
  /** Receives what counts and tells of calls that end before the pool has them. */
  readonly onRefusals?: ((refused: (call: RefusedCall) => void) => void) | undefined;
}

/** Makes what the parts of a pool share. */
export function createContext(
  serverName: string,
  connector: Connector,
  options: ResolvedPoolOptions,
  environment: PoolEnvironment,
): PoolContext {
  const { clock = systemClock, poolName = serverName, identity, capacity } = environment;
  const wheel = environment.wheel ?? new DeadlineWheel(clock);
  const server = environment.server ?? createServerState(clock, connector, Infinity);
  return new PoolContext({ serverName, clock, options, wheel, server, capacity, connector, poolName, identity });
}

/** Makes what all pools of one server share. */
export function createServerState(clock: Clock, connector: Connector, maxConcurrentRequests: number): ServerState {
  return {
    backoff: new ConnectBackoff(clock, connector.connectBackoff),
    limit: new InFlightLimit(maxConcurrentRequests),
    toolLimits: new LateMap(),
    answeredLate: new LateSet(),
    shared: new LateMap(),
  };
}
