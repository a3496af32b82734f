import { Attempt } from "./attempt.ts";
import type { RoomOrigin } from "./attempt-host.ts";
import type { ReadResult, Requester } from "./client.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import {
  McpConnectionError,
  McpPoolClosedError,
  type McpPoolError,
  McpTimeoutError,
  McpValidationError,
} from "./errors.ts";
import { lendNext } from "./fast-lane.ts";
import { attributionProblem } from "./handler-router.ts";
import { Lease } from "./lease.ts";
import { HeldConnection, onOneConnection } from "./one-connection.ts";
import { Outcomes } from "./outcomes.ts";
import type { PoolRequest } from "./plugin.ts";
import type { Recycler } from "./recycler.ts";
import { describeRequest } from "./request-errors.ts";
import type { RequestRecords } from "./request-records.ts";
import { type ToolBulkhead, ToolBulkheads } from "./tool-bulkheads.ts";
import type { WaitTerms } from "./waiter.ts";

/** What the request path tells its pool. */
export interface RequestPathHost {
  readonly records: RequestRecords;
  /** Whether somebody asks how many requests are under way. */
  readonly isCounting: boolean;
  /** Waits for room; bounded, FIFO. */
  wait<Granted>(terms: WaitTerms<Granted>, join?: (terms: WaitTerms<Granted>) => Promise<Granted>): Promise<Granted>;
  /** Counts and tells of a request that got no connection to be sent on. */
  onRefused(error: McpPoolError, waitMs: number): void;
  /** What each request says besides, from protocol revision 2026-07-28 on. */
  modernMeta(): Readonly<Record<string, unknown>> | undefined;
}

/** The innermost part of a request: one wait for room, then one attempt on a connection. */
export class RequestPath extends Outcomes {
  readonly #host: RequestPathHost;
  readonly #bulkheads: ToolBulkheads;

  constructor(context: PoolContext, dispatcher: Dispatcher, recycler: Recycler, host: RequestPathHost) {
    super(context, host.records, host.isCounting, dispatcher, recycler);
    this.#host = host;
    this.#bulkheads = new ToolBulkheads(context, dispatcher);
  }

  protected attemptAt(request: PoolRequest, startedAt: number, read: ReadResult | undefined): Promise<unknown> {
    const { signal } = request.options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.context.options.tools === undefined && isPlain(request) && startedAt < request.deadlineAt) {
      const entry = lendNext(this.context);
      if (entry !== undefined) return this.send(entry, request, "at-once", startedAt, 0, undefined, read);
    }
    const result = this.#attemptOtherwise(request, startedAt);
    return read === undefined ? result : result.then((raw) => read(raw, this.context));
  }

  #attemptOtherwise(request: PoolRequest, startedAt: number): Promise<unknown> {
    if (request.lease !== undefined) return this.#attemptOnLease(request, startedAt);
    if (this.dispatcher.isClosed) return this.#refuse(this.#closedError(request), 0);
    if (startedAt >= request.deadlineAt) return this.#refuse(this.#lateError(request), 0);
    const bulkhead = this.#bulkheads.of(request);
    if (bulkhead !== undefined && !bulkhead.limit.take(bulkhead))
      return this.#wait(request, startedAt, bulkhead, false);
    const { avoid, isFreshWanted } = request;
    const wantsFresh = isFreshWanted && this.dispatcher.ready.needsFresh(undefined);
    const entry = wantsFresh ? undefined : this.#claim(avoid);
    if (entry === undefined) return this.#wait(request, startedAt, bulkhead, true);
    return this.send(entry, request, "at-once", startedAt, 0, bulkhead);
  }

  #claim(avoid: number | undefined): ConnectionEntry | undefined {
    return avoid === undefined ? this.dispatcher.take() : this.dispatcher.takeBut(avoid);
  }

  /** Sends a request on a given connection, unless a listener has made its caller give up since room was looked for. */
  send(
    entry: ConnectionEntry,
    request: PoolRequest,
    room: RoomOrigin,
    startedAt: number,
    waitMs: number,
    bulkhead: ToolBulkhead | undefined,
    read?: ReadResult | undefined,
  ): Promise<unknown> {
    const { handlers, signal } = request.options;
    const problem = handlers === undefined ? undefined : attributionProblem(handlers, entry, this.context);
    if (problem !== undefined || signal?.aborted) {
      if (room !== "of-lease") this.recycler.giveBack(entry);
      bulkhead?.limit.give();
      return problem === undefined ? Promise.reject(signal?.reason) : this.#refuse(problem, waitMs);
    }
    this.context.requests++;
    return new Attempt(this, entry, request, room, startedAt, waitMs, bulkhead, read).run();
  }

  onOneConnection<T>(work: (requester: Requester) => Promise<T>): Promise<T> {
    const { serverName } = this.context;
    return onOneConnection(
      {
        serverName,
        start: (method, params, options, lease, hold) => this.request(method, params, options, lease, hold),
        giveBack: (entry) => this.recycler.giveBack(entry),
      },
      work,
    );
  }

  /** Lets go of those who still wait for a tool, now that all connections are closed. */
  end(): void {
    this.#bulkheads.close();
  }

  get modernMeta(): Readonly<Record<string, unknown>> | undefined {
    return this.#host.modernMeta();
  }

  #attemptOnLease(request: PoolRequest, startedAt: number): Promise<unknown> {
    const { serverName } = this.context;
    const { lease } = request;
    const entry = lease instanceof HeldConnection ? lease.entry : lease && Lease.entryOf(lease);
    if (entry === undefined) {
      const message = `${describeRequest(request, serverName)} was not sent: the lease was released`;
      return this.#refuse(new McpValidationError(message, { serverName }), 0);
    }
    if (!entry.isUsable && entry.state !== "draining") {
      const message = `${describeRequest(request, serverName)} was not sent: the connection of the lease is closed`;
      return this.#refuse(new McpConnectionError(message, { serverName }), 0);
    }
    return this.send(entry, request, "of-lease", startedAt, 0, undefined);
  }

  /** Waits in line: for a unit of the tool's limit first, if the request has none yet, then for room. */
  #wait(
    request: PoolRequest,
    startedAt: number,
    bulkhead: ToolBulkhead | undefined,
    hasUnit: boolean,
  ): Promise<unknown> {
    const { signal } = request.options;
    const unit = bulkhead && { isHeld: hasUnit };
    const terms: WaitTerms<ConnectionEntry> = {
      kind: "request",
      signal,
      limitAt: request.deadlineAt,
      stickyKey: undefined,
      asker: request,
      unit,
      mayHaveRun: request.mayHaveRun,
      deliver: asItIs,
    };
    const { queue } = this.dispatcher;
    const isFresh = (request.avoid !== undefined || request.isFreshWanted) && this.#wantsFresh(request);
    const join =
      bulkhead !== undefined && !hasUnit
        ? (own: WaitTerms<ConnectionEntry>) => queue.add(own, bulkhead.waiters, "saturated")
        : isFresh
          ? (own: WaitTerms<ConnectionEntry>) => this.dispatcher.sides.waitFresh(own)
          : undefined;
    return this.#host.wait(terms, join).then(
      (granted) => this.#sendGranted(granted, request, startedAt, bulkhead),
      (error: unknown) => {
        if (unit?.isHeld) bulkhead?.limit.give();
        throw error;
      },
    );
  }

  #wantsFresh({ avoid, isFreshWanted }: PoolRequest): boolean {
    return this.dispatcher.ready.needsFresh(isFreshWanted ? undefined : avoid);
  }

  /** Between the grant and this moment the caller may have gone, or the time may be up. */
  #sendGranted(
    entry: ConnectionEntry,
    request: PoolRequest,
    queuedAt: number,
    bulkhead: ToolBulkhead | undefined,
  ): Promise<unknown> {
    const { signal } = request.options;
    if (signal?.aborted) {
      this.recycler.giveBack(entry);
      bulkhead?.limit.give();
      return Promise.reject(signal.reason);
    }
    const startedAt = this.context.clock.now();
    if (startedAt >= request.deadlineAt) {
      this.recycler.giveBack(entry);
      bulkhead?.limit.give();
      return this.#refuse(this.#lateError(request), startedAt - queuedAt);
    }
    return this.send(entry, request, "after-wait", startedAt, startedAt - queuedAt, bulkhead);
  }

  #refuse(error: McpPoolError, waitMs: number): Promise<never> {
    this.#host.onRefused(error, waitMs);
    return Promise.reject(error);
  }

  #lateError(request: PoolRequest): McpTimeoutError {
    const { serverName } = this.context;
    // An earlier attempt may have reached the server.
    const wasSent = request.mayHaveRun === true;
    const what = wasSent ? "was not sent again: its time is up, and it may have run" : "was not sent: its time is up";
    return new McpTimeoutError(`${describeRequest(request, serverName)} ${what}`, {
      serverName,
      phase: "request",
      outcome: wasSent ? "unknown" : "not-sent",
    });
  }

  #closedError(request: PoolRequest): McpPoolClosedError {
    const { serverName } = this.context;
    return new McpPoolClosedError(`${describeRequest(request, serverName)} was not sent: the pool is closed`, {
      serverName,
    });
  }
}

/** Whether a request may go to whichever connection comes first. */
function isPlain({ lease, avoid, isFreshWanted }: PoolRequest): boolean {
  return lease === undefined && avoid === undefined && !isFreshWanted;
}

function asItIs(entry: ConnectionEntry): ConnectionEntry {
  return entry;
}
