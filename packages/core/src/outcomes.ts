import type { Attempt } from "./attempt.ts";
import type { AttemptHost } from "./attempt-host.ts";
import { Cancellations } from "./cancellations.ts";
import { coarseNow } from "./clock.ts";
import type { Judgement, RequestFailure } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { takeBack } from "./fast-lane.ts";
import type { Recycler } from "./recycler.ts";
import { isToolError, targetOf } from "./request-errors.ts";
import type { RequestRecords } from "./request-records.ts";
import { RequestStart } from "./request-start.ts";

/** Time-outs in a row after which a connection is replaced, even though its probes pass. */
const MAX_TIMEOUTS_IN_ROW = 3;

/** Judgements that say that the server has done nothing. */
const NOT_RUN: ReadonlySet<Judgement> = new Set(["not-sent", "overloaded", "session-lost", "unauthorised"]);

/** Draws the conclusions from attempts: for the connection, for the room on it, and for those who count and listen. */
export abstract class Outcomes extends RequestStart implements AttemptHost {
  protected readonly dispatcher: Dispatcher;
  protected readonly recycler: Recycler;
  readonly cancellations: Cancellations;

  constructor(
    context: PoolContext,
    records: RequestRecords,
    isCounting: boolean,
    dispatcher: Dispatcher,
    recycler: Recycler,
  ) {
    super(context, records, isCounting);
    this.dispatcher = dispatcher;
    this.recycler = recycler;
    this.cancellations = new Cancellations(context, dispatcher.checker);
  }

  abstract readonly modernMeta: AttemptHost["modernMeta"];

  onJudged({ entry, request, startedAt }: Attempt, failure: RequestFailure | undefined): void {
    if (failure === undefined || !NOT_RUN.has(failure.judgement)) request.mayHaveRun = true;
    switch (failure?.judgement) {
      case undefined:
      case "answered":
        // Only requests that were abandoned want to know, and those are still on the connection.
        if (entry.size > 1 && startedAt > entry.readUpTo) entry.readUpTo = startedAt;
        entry.timeoutsInRow = 0;
        entry.lastAliveAt = coarseNow(this.context.clock);
        if (entry.isSuspect) this.dispatcher.checker.alive(entry, entry.lastAliveAt);
        return;
      case "overloaded":
      case "unauthorised":
        entry.timeoutsInRow = 0;
        this.dispatcher.checker.alive(entry, coarseNow(this.context.clock));
        return;
      case "not-sent":
      case "outcome-unknown":
      case "session-lost":
        this.dispatcher.closer.retire(entry, "request-failed", failure);
        return;
      case "timed-out":
        entry.timeoutsInRow++;
        if (this.isExclusive || entry.timeoutsInRow >= MAX_TIMEOUTS_IN_ROW)
          this.dispatcher.closer.retire(entry, "request-failed", failure);
        else this.dispatcher.checker.suspect(entry, failure);
        return;
      case "aborted":
        // No successor may meet the running call.
        if (this.isExclusive) this.dispatcher.closer.retire(entry, "abandoned", failure);
    }
  }

  onOver({ entry, room, bulkhead, isKept }: Attempt, wasNeverAnswered: boolean): void {
    if (wasNeverAnswered) this.dispatcher.checker.suspect(entry, new Error("an abandoned request was never answered"));
    if (room !== "of-lease" && !isKept && !takeBack(this.context, entry)) {
      if (this.isExclusive) this.recycler.giveBack(entry);
      else this.dispatcher.release(entry);
    }
    bulkhead?.limit.give();
  }

  onSettled(
    { entry, request, room, startedAt, waitMs }: Attempt,
    failure: RequestFailure | undefined,
    result: unknown,
    error: unknown,
  ): void {
    const isFailedTool = isToolError(request.method, result);
    if (isFailedTool) this.context.counters.errors.tool++;
    if (failure !== undefined && failure.judgement !== "aborted") this.#countError(failure);
    if (!this.context.wantsFinished) return;
    this.context.events.emit({
      type: "request-finished",
      connectionId: entry.id,
      method: request.method,
      target: targetOf(request),
      durationMs: this.context.clock.now() - startedAt,
      waitMs,
      isHit: room !== "after-wait",
      hasOwnRoom: room !== "of-lease",
      judgement: failure?.judgement ?? "ok",
      isToolError: isFailedTool,
      error,
    });
  }

  protected get isExclusive(): boolean {
    return this.context.options.sharing === "exclusive";
  }

  #countError({ judgement }: RequestFailure): void {
    const { counters } = this.context;
    counters.requestErrors++;
    if (judgement === "timed-out") counters.errors.timeout++;
    else if (judgement === "outcome-unknown") counters.errors.outcomeUnknown++;
    else if (judgement !== "answered") counters.errors.connection++;
  }
}
