import type { Clock } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { isRequestFailure } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { attributionProblem } from "./handler-router.ts";
import { Lease, type LeaseEnd, type LeaseHost } from "./lease.ts";
import type { AcquireOptions, RequestOptions } from "./options.ts";
import type { HeldLease } from "./plugin.ts";

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

  /** Takes the stack that a lease is acquired on, while somebody wants to know. */
  stack(): string | undefined {
    return this.#tracked === undefined ? undefined : new Error("acquired here").stack;
  }

  /**
   * Lends an entry on which room has been claimed.
   * @throws {McpValidationError} when handlers were given for what the server cannot ask this lease; the room is free again
   */
  issue(
    entry: ConnectionEntry,
    asked: { readonly at: number; readonly stack: string | undefined; readonly options?: AcquireOptions },
    now: number,
    isHit: boolean,
  ): Lease {
    const { at: askedAt, stack, options: { handlers } = {} } = asked;
    const problem = attributionProblem(handlers, entry, this.#context);
    if (problem !== undefined) {
      this.#host.giveBack(entry);
      throw problem;
    }
    const lease = new Lease(this, entry, ++this.#lastId, { acquiredAt: now, stack, handlers });
    if (this.#context.options.sharing === "exclusive") entry.leaseHandlers = handlers;
    this.#held++;
    this.#tracked?.add(lease);
    const { events } = this.#context;
    if (events.wants("lease-acquired")) {
      const waitMs = now - askedAt;
      events.emit({ type: "lease-acquired", connectionId: entry.id, leaseId: lease.id, waitMs, isHit });
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

  endLease(lease: Lease, entry: ConnectionEntry, { kind, cause }: LeaseEnd): void {
    this.#held--;
    this.#tracked?.delete(lease);
    if (this.#context.options.sharing === "exclusive") entry.leaseHandlers = undefined;
    if (kind === "discard") this.#dispatcher.closer.retire(entry, "discarded", cause);
    else if (isBroken(cause)) this.#dispatcher.closer.retire(entry, "request-failed", cause);
    // No successor may meet a running call.
    else if (entry.attempts.size > 0 && this.#context.options.sharing === "exclusive")
      this.#dispatcher.closer.retire(entry, "abandoned", cause);
    this.#host.giveBack(entry);
    const { events, clock } = this.#context;
    if (events.wants("lease-released")) {
      const useMs = clock.now() - lease.acquiredAt;
      events.emit({ type: "lease-released", connectionId: entry.id, leaseId: lease.id, useMs });
    }
  }

  onListenerFailed(error: unknown): void {
    this.#context.events.emit({ type: "listener-failed", error });
  }

  onReleasedAgain(lease: Lease): void {
    this.#context.events.emit({ type: "lease-released-again", connectionId: lease.connectionId, leaseId: lease.id });
  }
}

/** Whether an error that ended the work says, in the words of the connector, that this connection is no longer any good. */
function isBroken(cause: unknown): boolean {
  if (!isRequestFailure(cause)) return false;
  const { judgement } = cause;
  return judgement === "not-sent" || judgement === "outcome-unknown" || judgement === "session-lost";
}
