import { coarseNow } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";

/** An idle connection that was quiet for longer than this is probed before it is lent, in milliseconds. */
const QUIET_MS = 500;

/**
 * Most leases and requests are over before anybody looks at the pool, and then nothing has to be done for them: what is lent and
 * given back here goes into no list and no sum. The {@link ConnectionSet} says what may be lent so, and books what was lent
 * when somebody looks.
 */
export interface FastLane {
  /** The head of the ready connections, where nothing is on it, nobody waits, and it is known to be lent next. */
  next: ConnectionEntry | undefined;
  /** What was `next`, until it is given back or booked. */
  lent: ConnectionEntry | undefined;
}

/** Claims room on the next connection, if it is known and nothing is to be done but to lend it. */
export function lendNext(context: PoolContext): ConnectionEntry | undefined {
  const { next } = context;
  if (next === undefined || isSilent(next, context)) return undefined;
  lend(context, next);
  context.hits++;
  return next;
}

/** Takes one unit of room of what is {@link FastLane.next}. The peak has been as high before, or it would not be. */
export function lend(lane: FastLane, next: ConnectionEntry): void {
  lane.next = undefined;
  lane.lent = next;
  next.inFlight = 1;
  next.uses++;
  if (next.room === 1) next.state = "busy";
}

/** Gives back what was lent and is not booked yet. Returns false if it is, or has got a key: then it is to be released. */
export function takeBack(lane: FastLane & Pick<PoolContext, "clock">, entry: ConnectionEntry): boolean {
  if (entry !== lane.lent || entry.stickyKey !== undefined) return false;
  lane.lent = undefined;
  lane.next = entry;
  entry.inFlight = 0;
  if (entry.room === 1) entry.state = "ready";
  entry.idleSince = coarseNow(lane.clock);
  return true;
}

/** Whether an entry would be probed before it is lent, if nothing were on it. */
export function isSilent(entry: ConnectionEntry, { options, clock }: PoolContext): boolean {
  return options.validateOnAcquire && coarseNow(clock) - entry.lastAliveAt > QUIET_MS;
}
