import type { Clock } from "./clock.ts";

/** How far coarse time lags behind at the most while the event loop turns, in milliseconds. */
const MAX_LAG_MS = 50;

/** Reads after which time is looked up anyway: a timer may be lost, with the fake timers of a test for instance. */
const MAX_READS = 1_000;

/**
 * Reads a clock at most once in a while, since looking time up costs as much as lending a connection. What it returns is
 * never ahead of the clock, and fit for how long a connection is idle; not for deadlines.
 */
export function coarseTime({ now, setTimer }: Pick<Clock, "now" | "setTimer">): () => number {
  let time = 0;
  let readsLeft = 0;
  let isTimed = false;
  const expire = () => {
    isTimed = false;
    readsLeft = 0;
  };
  return () => {
    if (readsLeft-- > 0) return time;
    // A whole number needs no memory of its own wherever it is kept.
    time = Math.floor(now());
    readsLeft = MAX_READS;
    if (!isTimed) {
      isTimed = true;
      setTimer(expire, MAX_LAG_MS).unref();
    }
    return time;
  };
}
