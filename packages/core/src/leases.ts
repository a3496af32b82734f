import type { Clock } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { isRequestFailure } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { Lease, type LeaseHost } from "./lease.ts";
import type { RequestOptions } from "./options.ts";
import type { HeldLease } from "./plugin.ts";
import type { Waiter, WaitTerms } from "./waiter.ts";

/** What the leases of a pool need of it. */
export interface LeasesHost {
  requestOnLease: LeaseHost["requestOnLease"];
  /** Gives back a connection whose lease has ended. */
  giveBack(entry: ConnectionEntry): void;
}

/** Issues the leases of one pool, and takes them back, each once. */
export class Leases implements LeaseHost {
  readonly #context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #host: LeasesHost;
  #tracked: Set<Lease> | undefined;
  readonly #terms: WaitTerms<Lease> = {
    kind: "acquire",
    signal: undefined,
    limitAt: Infinity,
    stickyKey: undefined,
    asker: "lease",
    deliver: (entry, waiter) => this.#issueGranted(entry, waiter),
  };
  #held = 0;
  #lastId = 0;

  constructor(context: PoolContext, dispatcher: Dispatcher, host: LeasesHost) {
    this.#context = context;
    this.#dispatcher = dispatcher;
    this.#host = host;
  }

  get held(): number {
    return this.#held;
  }

  get serverName(): string {
    return this.#context.serverName;
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  get requestTimeoutMs(): number {
    return this.#context.options.requestTimeoutMs;
  }

  /** Keeps track of leases from now on, with the stacks that acquired them. */
  track(): void {
    this.#tracked ??= new Set();
  }

  tracked(): Iterable<HeldLease> {
    return this.#tracked ?? [];
  }

  /** How a caller waits for a lease. All share the same terms, unless their stacks are wanted. */
  terms(): WaitTerms<Lease> {
    if (this.#tracked === undefined) return this.#terms;
    const stack = stackHere();
    return { ...this.#terms, deliver: (entry, waiter) => this.#issueGranted(entry, waiter, stack) };
  }

  /** Lends an entry on which room has been claimed at once. */
  issue(entry: ConnectionEntry): Lease {
    const lease = this.#issue(entry, this.#tracked && stackHere());
    const { events } = this.#context;
    if (events.wantsAcquired) {
      events.emit({ type: "lease-acquired", connectionId: entry.id, leaseId: lease.id, waitMs: 0, isHit: true });
    }
    return lease;
  }

  requestOnLease(
    lease: Lease,
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options?: RequestOptions,
  ): Promise<unknown> {
    return this.#host.requestOnLease(lease, method, params, options);
  }

  endLease(lease: Lease, entry: ConnectionEntry, isDiscarded: boolean, cause: unknown): void {
    this.#held--;
    this.#tracked?.delete(lease);
    if (isDiscarded) this.#dispatcher.closer.retire(entry, "discarded", cause);
    else if (cause !== undefined && isBroken(cause)) this.#dispatcher.closer.retire(entry, "request-failed", cause);
    // No successor may meet a running call.
    else if (entry.attempts.size > 0 && this.#context.options.sharing === "exclusive")
      this.#dispatcher.closer.retire(entry, "abandoned", cause);
    this.#host.giveBack(entry);
    const { events, clock } = this.#context;
    if (events.wantsReleased) {
      const useMs = clock.now() - lease.acquiredAt;
      events.emit({ type: "lease-released", connectionId: entry.id, leaseId: lease.id, useMs });
    }
  }

  /** Those who listen hear of it when the release that has made the room is over, and before the caller does. */
  #issueGranted(entry: ConnectionEntry, waiter: Waiter, stack?: string): Lease {
    const lease = this.#issue(entry, stack);
    const { events, clock } = this.#context;
    if (events.wantsAcquired) {
      const waitMs = waiter.waitedMs(clock.now());
      const event = {
        type: "lease-acquired",
        connectionId: entry.id,
        leaseId: lease.id,
        waitMs,
        isHit: false,
      } as const;
      void Promise.resolve().then(() => events.emit(event));
    }
    return lease;
  }

  #issue(entry: ConnectionEntry, stack: string | undefined): Lease {
    const { events, clock, coarseNow } = this.#context;
    const isTimed = this.#tracked !== undefined || events.wantsReleased;
    const lease = new Lease(this, entry, ++this.#lastId, isTimed ? clock.now() : coarseNow(), stack);
    this.#held++;
    this.#tracked?.add(lease);
    return lease;
  }

  onReleasedAgain(lease: Lease): void {
    this.#context.events.emit({ type: "lease-released-again", connectionId: lease.connectionId, leaseId: lease.id });
  }
}

/** The stack that a lease is acquired on. */
function stackHere(): string | undefined {
  return new Error("acquired here").stack;
}

/** Whether an error that ended the work says, in the words of the connector, that this connection is no longer any good. */
function isBroken(cause: unknown): boolean {
  if (!isRequestFailure(cause)) return false;
  const { judgement } = cause;
  return judgement === "not-sent" || judgement === "outcome-unknown" || judgement === "session-lost";
}
