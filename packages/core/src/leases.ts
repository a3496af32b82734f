import type { ClientHandlers } from "./client-handlers.ts";
import { type Clock, coarseNow } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { isRequestFailure } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { takeBack } from "./fast-lane.ts";
import { attributionProblem } from "./handler-router.ts";
import { Lease, type LeaseHost } from "./lease.ts";
import type { RequestOptions } from "./options.ts";
import type { HeldLease } from "./plugin.ts";
import type { Recycler } from "./recycler.ts";
import type { RefusedCall } from "./request-records.ts";
import { sendRootsListChanged } from "./roots-changes.ts";
import type { Waiter, WaitTerms } from "./waiter.ts";

/** What the leases of a pool need of it. */
export type LeasesHost = Pick<LeaseHost, "requestOnLease" | "onRefused">;

/** Issues the leases of one pool, and takes them back, each once. */
export class Leases implements LeaseHost {
  readonly #context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #recycler: Recycler;
  readonly #host: LeasesHost;
  #tracked: Set<Lease> | undefined;
  readonly #terms: WaitTerms<Lease> = {
    kind: "acquire",
    signal: undefined,
    limitAt: Infinity,
    stickyKey: undefined,
    asker: "lease",
    deliver: (entry, waiter) => this.#lendGranted(entry, waiter),
  };
  #lastId = 0;
  #ended = 0;

  constructor(context: PoolContext, dispatcher: Dispatcher, recycler: Recycler, host: LeasesHost) {
    this.#context = context;
    this.#dispatcher = dispatcher;
    this.#recycler = recycler;
    this.#host = host;
  }

  get held(): number {
    return this.#lastId - this.#ended;
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
    this.#context.events.isTracking = true;
  }

  tracked(): Iterable<HeldLease> {
    return this.#tracked ?? [];
  }

  /** How a caller without wishes waits for a lease. */
  get plainTerms(): WaitTerms<Lease> {
    return this.#tracked === undefined ? this.#terms : this.terms(undefined);
  }

  /** How a caller waits for a lease. All share the same terms, unless they bring handlers or their stacks are wanted. */
  terms(handlers: ClientHandlers | undefined): WaitTerms<Lease> {
    if (handlers === undefined && this.#tracked === undefined) return this.#terms;
    const stack = this.#stack();
    const issue = (entry: ConnectionEntry, waiter: Waiter) => this.#issueGranted(entry, waiter, handlers, stack);
    // Handlers that don't fit give the room back, which must not happen in the middle of a grant.
    const issueLater = async (entry: ConnectionEntry, waiter: Waiter) => {
      await undefined;
      return issue(entry, waiter);
    };
    return { ...this.#terms, deliver: handlers === undefined ? issue : issueLater };
  }

  /**
   * Lends an entry on which room has been claimed at once.
   * @throws {McpValidationError} when handlers were given for what the server cannot ask this lease; the room is free again
   */
  issue(entry: ConnectionEntry, handlers: ClientHandlers | undefined): Lease {
    const { wantsLeases, clock } = this.#context;
    if (handlers !== undefined || wantsLeases) {
      return this.#issueAloud(entry, handlers);
    }
    return new Lease(this, entry, ++this.#lastId, coarseNow(clock));
  }

  #issueAloud(entry: ConnectionEntry, handlers: ClientHandlers | undefined): Lease {
    const lease = this.#issue(entry, handlers, this.#stack());
    const { wantsAcquired, events } = this.#context;
    if (wantsAcquired) {
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

  takeBack(lease: Lease, entry: ConnectionEntry): void {
    const context = this.#context;
    if (context.wantsLeases || !entry.isUntouched) {
      this.endLease(lease, entry, false, undefined);
      return;
    }
    this.#ended++;
    if (!takeBack(context, entry)) this.#recycler.giveBack(entry);
  }

  endLease(lease: Lease, entry: ConnectionEntry, isDiscarded: boolean, cause: unknown): void {
    this.#ended++;
    if (this.#tracked !== undefined) this.#tracked.delete(lease);
    if (entry.leaseHandlers !== undefined) entry.leaseHandlers = undefined;
    if (isDiscarded) this.#dispatcher.closer.retire(entry, "discarded", cause);
    else if (cause !== undefined && isBroken(cause)) this.#dispatcher.closer.retire(entry, "request-failed", cause);
    // No successor may meet a running call.
    else if (entry.attempts.size > 0 && this.#context.options.sharing === "exclusive" && hasCallsOfLease(entry))
      this.#dispatcher.closer.retire(entry, "abandoned", cause);
    this.#recycler.giveBack(entry);
    const { wantsReleased, events, clock } = this.#context;
    if (wantsReleased) {
      const useMs = clock.now() - lease.acquiredAt;
      events.emit({ type: "lease-released", connectionId: entry.id, leaseId: lease.id, useMs });
    }
  }

  onRefused(call: RefusedCall): void {
    this.#host.onRefused(call);
  }

  sendRootsListChanged(entry: ConnectionEntry): Promise<void> {
    return sendRootsListChanged([entry], this.#context);
  }

  onListenerFailed(error: unknown): void {
    this.#context.events.emit({ type: "listener-failed", error });
  }

  onReleasedAgain(lease: Lease): void {
    this.#context.events.emit({ type: "lease-released-again", connectionId: lease.connectionId, leaseId: lease.id });
  }

  #lendGranted(entry: ConnectionEntry, waiter: Waiter): Lease {
    const { wantsLeases, clock } = this.#context;
    if (wantsLeases) {
      return this.#issueGranted(entry, waiter, undefined, undefined);
    }
    return new Lease(this, entry, ++this.#lastId, coarseNow(clock));
  }

  /** Those who listen hear of it when the release that has made the room is over, and before the caller does. */
  #issueGranted(
    entry: ConnectionEntry,
    waiter: Waiter,
    handlers: ClientHandlers | undefined,
    stack: string | undefined,
  ): Lease {
    const lease = this.#issue(entry, handlers, stack);
    const { wantsAcquired, events, clock } = this.#context;
    if (wantsAcquired) {
      const waitMs = waiter.waitedMs(clock.now());
      const { connectionId, id: leaseId } = lease;
      void Promise.resolve().then(() => {
        events.emit({ type: "lease-acquired", connectionId, leaseId, waitMs, isHit: false });
      });
    }
    return lease;
  }

  #issue(entry: ConnectionEntry, handlers: ClientHandlers | undefined, stack: string | undefined): Lease {
    if (handlers !== undefined) this.#attribute(entry, handlers);
    const { wantsReleased, clock } = this.#context;
    const isTimed = this.#tracked !== undefined || wantsReleased;
    const acquiredAt = isTimed ? clock.now() : coarseNow(clock);
    const extras = stack === undefined && handlers === undefined ? undefined : { stack, handlers };
    const lease = new Lease(this, entry, ++this.#lastId, acquiredAt, extras);
    if (this.#tracked !== undefined) this.#tracked.add(lease);
    return lease;
  }

  #attribute(entry: ConnectionEntry, handlers: ClientHandlers): void {
    const problem = attributionProblem(handlers, entry, this.#context);
    if (problem !== undefined) {
      this.#recycler.giveBack(entry);
      throw problem;
    }
    if (this.#context.options.sharing === "exclusive") entry.leaseHandlers = handlers;
  }

  /** Takes the stack that a lease is acquired on, while somebody wants to know. */
  #stack(): string | undefined {
    return this.#tracked === undefined ? undefined : new Error("acquired here").stack;
  }
}

/** What the pool itself asks meanwhile, such as for a logging level, harms no successor. */
function hasCallsOfLease({ attempts }: ConnectionEntry): boolean {
  return [...attempts].some(({ request }) => request.lease !== undefined);
}

/** Whether an error that ended the work says, in the words of the connector, that this connection is no longer any good. */
function isBroken(cause: unknown): boolean {
  if (!isRequestFailure(cause)) return false;
  const { judgement } = cause;
  return judgement === "not-sent" || judgement === "outcome-unknown" || judgement === "session-lost";
}
