import type { Attempt } from "./attempt.ts";
import type { Cancellations } from "./cancellations.ts";
import type { RequestFailure } from "./connector.ts";
import type { PoolContext } from "./context.ts";

/** What an attempt tells its pool. */
export interface AttemptHost {
  readonly context: PoolContext;
  /** What each request says besides, from protocol revision 2026-07-28 on. */
  readonly modernMeta: Readonly<Record<string, unknown>> | undefined;
  readonly cancellations: Cancellations;
  /** Decides what the outcome means for the connection; called before the room is free. */
  onJudged(attempt: Attempt, failure: RequestFailure | undefined): void;
  /** Nothing of the attempt is left on the connection: its room is free. Called once. */
  onOver(attempt: Attempt, wasNeverAnswered: boolean): void;
  /** The caller gets its result or its error. Called once. */
  onSettled(attempt: Attempt, failure: RequestFailure | undefined, result: unknown, error: unknown): void;
}

/** How an attempt came by its room on a connection; `of-lease`: it has none of its own. */
export type RoomOrigin = "at-once" | "after-wait" | "of-lease";
