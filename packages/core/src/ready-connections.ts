import type { Checker } from "./checker.ts";
import { coarseNow } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionSet } from "./connection-set.ts";
import type { PoolContext } from "./context.ts";

/** An idle connection that was quiet for longer than this is probed before it is lent, in milliseconds. */
const QUIET_MS = 500;

/** Says which of the ready connections is lent next. Idle ones that were quiet for long are probed first. */
export class ReadyConnections {
  readonly #context: PoolContext;
  readonly #set: ConnectionSet;
  readonly #checker: Checker;

  constructor(context: PoolContext, set: ConnectionSet, checker: Checker) {
    this.#context = context;
    this.#set = set;
    this.#checker = checker;
  }

  /** Returns a connection that may be lent now; starts as many probes as that many callers need. */
  next(callers: number): ConnectionEntry | undefined {
    // Looked up anew each time: a connector that calls the pool while it probes may have taken what stood first.
    for (let entry = this.#set.ready.head; entry !== undefined; entry = this.#set.ready.head) {
      if (!this.isQuiet(entry)) return entry;
      if (this.#checker.room >= callers) return undefined;
      this.#checker.check(entry);
    }
    return undefined;
  }

  /** Returns a connection that may be lent to one caller now. */
  first(): ConnectionEntry | undefined {
    const { head } = this.#set.ready;
    // Looks at as little as possible: this is on the way of many leases and requests.
    return head !== undefined && !this.#context.options.validateOnAcquire ? head : this.next(1);
  }

  /** The same, but other than one that is to be avoided; that one only if a new one is not to be had. */
  but(avoid: number, pool: { needsFresh(avoid: number): boolean }): ConnectionEntry | undefined {
    for (let entry = this.#set.ready.head; entry !== undefined; entry = entry.next) {
      if (entry.id !== avoid && !this.isQuiet(entry)) return entry;
    }
    return pool.needsFresh(avoid) ? undefined : this.next(1);
  }

  isQuiet(entry: ConnectionEntry): boolean {
    return entry.inFlight === 0 && this.isSilent(entry);
  }

  /** Whether an entry would be probed before it is lent, if nothing were on it. */
  isSilent({ lastAliveAt }: ConnectionEntry): boolean {
    const { options, clock } = this.#context;
    return options.validateOnAcquire && coarseNow(clock) - lastAliveAt > QUIET_MS;
  }
}
