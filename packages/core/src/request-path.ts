import { Attempt, type AttemptHost, type AttemptTerms } from "./attempt.ts";
import { Cancellations } from "./cancellations.ts";
import { coarseNow } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { RequestFailure } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import {
  McpConnectionError,
  McpPoolClosedError,
  type McpPoolError,
  McpTimeoutError,
  McpValidationError,
} from "./errors.ts";
import { attributionProblem } from "./handler-router.ts";
import { Lease } from "./lease.ts";
import { HeldConnection } from "./one-connection.ts";
import type { PoolRequest } from "./plugin.ts";
import type { Recycler } from "./recycler.ts";
import { describeRequest, isToolError, targetOf } from "./request-errors.ts";
import { type ToolBulkhead, ToolBulkheads } from "./tool-bulkheads.ts";
import type { WaitTerms } from "./waiter.ts";

/** Time-outs in a row after which a connection is replaced, even though its probes pass. */
const MAX_TIMEOUTS_IN_ROW = 3;

/** What the request path tells its pool. */
export interface RequestPathHost {
  /** Waits for room; bounded, FIFO. */
  wait<Granted>(terms: WaitTerms<Granted>, join?: (terms: WaitTerms<Granted>) => Promise<Granted>): Promise<Granted>;
  /** Counts and tells of a request that got no connection to be sent on. */
  onRefused(error: McpPoolError, waitMs: number): void;
  /** What each request says besides, from protocol revision 2026-07-28 on. */
  modernMeta(): Readonly<Record<string, unknown>> | undefined;
}

let settingOut: PoolRequest | undefined;
let settingOutAt = 0;

/**
 * Says which request of any pool sets out just now, and when by its clock; undefined as soon as it has. An attempt that
 * begins in the same go need not look at the clock again.
 */
export function setOut(request: PoolRequest | undefined, now: number): void {
  settingOut = request;
  settingOutAt = now;
}

/** The innermost part of a request: one wait for room, then one attempt on a connection. */
export class RequestPath implements AttemptHost {
  readonly context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #recycler: Recycler;
  readonly #host: RequestPathHost;
  readonly #bulkheads: ToolBulkheads;
  readonly cancellations: Cancellations;

  constructor(context: PoolContext, dispatcher: Dispatcher, recycler: Recycler, host: RequestPathHost) {
    this.context = context;
    this.#dispatcher = dispatcher;
    this.#recycler = recycler;
    this.#host = host;
    this.#bulkheads = new ToolBulkheads(context, dispatcher);
    this.cancellations = new Cancellations(context, dispatcher.checker);
  }

  /** Runs one attempt of a request, on its lease or on whichever connection has room. */
  attempt(request: PoolRequest): Promise<unknown> {
    const { signal } = request.options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const startedAt = request === settingOut ? settingOutAt : this.context.clock.now();
    if (request.lease !== undefined) return this.#attemptOnLease(request, startedAt);
    if (this.#dispatcher.isClosed) return this.#refuse(this.#closedError(request), 0);
    if (startedAt >= request.deadlineAt) return this.#refuse(this.#lateError(request), 0);
    const bulkhead = this.context.options.tools === undefined ? undefined : this.#bulkheads.of(request);
    if (bulkhead !== undefined && !bulkhead.limit.take(bulkhead))
      return this.#wait(request, startedAt, bulkhead, false);
    const { avoid, isFreshWanted } = request;
    const wantsFresh = isFreshWanted && this.#dispatcher.ready.needsFresh(undefined);
    const entry = wantsFresh ? undefined : this.#claim(avoid);
    if (entry === undefined) return this.#wait(request, startedAt, bulkhead, true);
    return this.send(entry, request, { startedAt, waitMs: 0, isHit: true, hasRoom: true, bulkhead });
  }

  #claim(avoid: number | undefined): ConnectionEntry | undefined {
    return avoid === undefined ? this.#dispatcher.take() : this.#dispatcher.takeBut(avoid);
  }

  /** Sends a request on a given connection, unless a listener has made its caller give up since room was looked for. */
  send(entry: ConnectionEntry, request: PoolRequest, terms: AttemptTerms): Promise<unknown> {
    const { handlers, signal } = request.options;
    const problem = handlers === undefined ? undefined : attributionProblem(handlers, entry, this.context);
    if (problem !== undefined || signal?.aborted) {
      if (terms.hasRoom) this.#recycler.giveBack(entry);
      terms.bulkhead?.limit.give();
      return problem === undefined ? Promise.reject(signal?.reason) : this.#refuse(problem, terms.waitMs);
    }
    this.context.counters.requests++;
    return new Attempt(this, entry, request, terms).run();
  }

  /** Lets go of those who still wait for a tool, now that all connections are closed. */
  end(): void {
    this.#bulkheads.close();
  }

  get modernMeta(): Readonly<Record<string, unknown>> | undefined {
    return this.#host.modernMeta();
  }

  onJudged({ entry, terms }: Attempt, failure: RequestFailure | undefined): void {
    const { checker, closer } = this.#dispatcher;
    switch (failure?.judgement) {
      case undefined:
      case "answered":
        // Only requests that were abandoned want to know, and those are still on the connection.
        if (entry.size > 1 && terms.startedAt > entry.readUpTo) entry.readUpTo = terms.startedAt;
        entry.timeoutsInRow = 0;
        entry.lastAliveAt = coarseNow(this.context.clock);
        if (entry.isSuspect) checker.alive(entry, entry.lastAliveAt);
        return;
      case "overloaded":
      case "unauthorised":
        entry.timeoutsInRow = 0;
        checker.alive(entry, coarseNow(this.context.clock));
        return;
      case "not-sent":
      case "outcome-unknown":
      case "session-lost":
        closer.retire(entry, "request-failed", failure);
        return;
      case "timed-out":
        entry.timeoutsInRow++;
        if (this.#isExclusive || entry.timeoutsInRow >= MAX_TIMEOUTS_IN_ROW)
          closer.retire(entry, "request-failed", failure);
        else checker.suspect(entry, failure);
        return;
      case "aborted":
        // No successor may meet the running call.
        if (this.#isExclusive) closer.retire(entry, "abandoned", failure);
    }
  }

  onOver({ entry, terms, isKept }: Attempt, wasNeverAnswered: boolean): void {
    if (wasNeverAnswered) this.#dispatcher.checker.suspect(entry, new Error("an abandoned request was never answered"));
    if (terms.hasRoom && !isKept) {
      if (this.#isExclusive) this.#recycler.giveBack(entry);
      else this.#dispatcher.release(entry);
    }
    terms.bulkhead?.limit.give();
  }

  onSettled(
    { entry, request, terms }: Attempt,
    failure: RequestFailure | undefined,
    result: unknown,
    error: unknown,
  ): void {
    const { counters, events } = this.context;
    const isFailedTool = isToolError(request.method, result);
    if (isFailedTool) counters.errors.tool++;
    if (failure !== undefined && failure.judgement !== "aborted") this.#countError(failure);
    if (!events.wantsFinished) return;
    events.emit({
      type: "request-finished",
      connectionId: entry.id,
      method: request.method,
      target: targetOf(request),
      durationMs: this.context.clock.now() - terms.startedAt,
      waitMs: terms.waitMs,
      isHit: terms.isHit,
      hasOwnRoom: terms.hasRoom,
      judgement: failure?.judgement ?? "ok",
      isToolError: isFailedTool,
      error,
    });
  }

  get #isExclusive(): boolean {
    return this.context.options.sharing === "exclusive";
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
    return this.send(entry, request, { startedAt, waitMs: 0, isHit: true, hasRoom: false, bulkhead: undefined });
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
    const { queue } = this.#dispatcher;
    const isFresh = (request.avoid !== undefined || request.isFreshWanted) && this.#wantsFresh(request);
    const join =
      bulkhead !== undefined && !hasUnit
        ? (own: WaitTerms<ConnectionEntry>) => queue.add(own, bulkhead.waiters, "saturated")
        : isFresh
          ? (own: WaitTerms<ConnectionEntry>) => this.#dispatcher.sides.waitFresh(own)
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
    return this.#dispatcher.ready.needsFresh(isFreshWanted ? undefined : avoid);
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
      this.#recycler.giveBack(entry);
      bulkhead?.limit.give();
      return Promise.reject(signal.reason);
    }
    const startedAt = this.context.clock.now();
    if (startedAt >= request.deadlineAt) {
      this.#recycler.giveBack(entry);
      bulkhead?.limit.give();
      return this.#refuse(this.#lateError(request), startedAt - queuedAt);
    }
    const waitMs = startedAt - queuedAt;
    return this.send(entry, request, { startedAt, waitMs, isHit: false, hasRoom: true, bulkhead });
  }

  #refuse(error: McpPoolError, waitMs: number): Promise<never> {
    this.#host.onRefused(error, waitMs);
    return Promise.reject(error);
  }

  #countError({ judgement }: RequestFailure): void {
    const { counters } = this.context;
    counters.requestErrors++;
    if (judgement === "timed-out") counters.errors.timeout++;
    else if (judgement === "outcome-unknown") counters.errors.outcomeUnknown++;
    else if (judgement !== "answered") counters.errors.connection++;
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

function asItIs(entry: ConnectionEntry): ConnectionEntry {
  return entry;
}
