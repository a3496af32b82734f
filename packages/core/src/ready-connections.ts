import type { Checker } from "./checker.ts";
import type { Closer } from "./closer.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionSet } from "./connection-set.ts";
import type { PoolContext } from "./context.ts";
import { isSilent } from "./fast-lane.ts";
import type { Growth } from "./growth.ts";
import type { LimitWaiter } from "./server-state.ts";

/** The parts of a pool that lending touches. */
export interface LendingParts {
  readonly set: ConnectionSet;
  readonly checker: Checker;
  readonly closer: Closer;
  readonly growth: Growth;
}

/** Lends ready connections to callers who need not wait. Idle ones that were quiet for long are probed first. */
export class ReadyConnections {
  readonly #context: PoolContext;
  readonly #limitWaiter: LimitWaiter;
  readonly #parts: LendingParts;
  readonly #set: ConnectionSet;
  readonly #checker: Checker;

  /** @param limitWaiter is called when units of the server's limit are free again, where there were none */
  constructor(context: PoolContext, limitWaiter: LimitWaiter, parts: LendingParts) {
    this.#context = context;
    this.#limitWaiter = limitWaiter;
    this.#parts = parts;
    this.#set = parts.set;
    this.#checker = parts.checker;
  }

  /** Claims room on whichever connection is first. */
  take(): ConnectionEntry | undefined {
    return this.#lendWithinLimit(this.#first());
  }

  /** The same on another connection than one, if there is one; on that one only if a new one is not to be had. */
  takeBut(avoid: number): ConnectionEntry | undefined {
    return this.#lendWithinLimit(this.#but(avoid));
  }

  /** Lends a connection to a caller who did not have to wait. The use that reaches `maxUses` is the last. */
  lend(entry: ConnectionEntry): void {
    this.#set.claim(entry);
    this.#context.hits++;
    if (entry.room > 1 && this.#set.relaxed === 0) this.#parts.growth.openSpare();
    if (entry.uses >= this.#context.options.maxUses) this.#parts.closer.retire(entry, "max-uses");
  }

  /** Whether those who avoid a connection had better wait for a new one: there is no other, or none is wanted. */
  needsFresh(avoid: number | undefined): boolean {
    return this.#parts.growth.canOpen && (avoid === undefined || this.#set.hasOnly(avoid));
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

  isQuiet(entry: ConnectionEntry): boolean {
    return entry.inFlight === 0 && isSilent(entry, this.#context);
  }

  #first(): ConnectionEntry | undefined {
    const { head } = this.#set.ready;
    // Looks at as little as possible: this is on the way of many leases and requests.
    return head !== undefined && !this.#context.options.validateOnAcquire ? head : this.next(1);
  }

  #but(avoid: number): ConnectionEntry | undefined {
    for (let entry = this.#set.ready.head; entry !== undefined; entry = entry.next) {
      if (entry.id !== avoid && !this.isQuiet(entry)) return entry;
    }
    return this.needsFresh(avoid) ? undefined : this.next(1);
  }

  #lendWithinLimit(entry: ConnectionEntry | undefined): ConnectionEntry | undefined {
    if (entry === undefined || !this.#context.server.limit.take(this.#limitWaiter)) return undefined;
    this.lend(entry);
    return entry;
  }
}
