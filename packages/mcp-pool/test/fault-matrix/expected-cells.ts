/** How the three kinds of calls differ: what may run twice by trusted annotations, by the caller's word, and not at all. */
export type CallKind = "read" | "idempotent" | "unsafe";

export const CALL_KINDS: readonly CallKind[] = ["read", "idempotent", "unsafe"];

/** What one kind of call meets. */
export interface Cell {
  /** `answer`, or the code of the error. */
  readonly sees: string;
  /** Tries in all. */
  readonly attempts: number;
  /** How often the tool began to run, as the server counted. */
  readonly runs: number;
}

/** What is expected of one fault; written from the table of judgements, before the code. */
export interface ExpectedRow {
  readonly fault: string;
  readonly transport: "stdio" | "HTTP";
  readonly judgement: string;
  readonly safe: Cell;
  readonly unsafe: Cell;
  /** How long the caller waits: what ends the first try, and what comes before the next. */
  readonly time: string;
  /** Whether the connection serves on; one that is set aside serves nobody new until it speaks, a renewed one has a new session. */
  readonly connection: "kept" | "renewed" | "set aside" | "replaced";
  /** Whether the circuit breaker counts a failure. */
  readonly breaker: "counts" | "does not count";
}

const ANSWER_AT_ONCE: Cell = { sees: "answer", attempts: 1, runs: 1 };
const AGAIN: Cell = { sees: "answer", attempts: 2, runs: 1 };
const RAN_TWICE: Cell = { sees: "answer", attempts: 2, runs: 2 };
const LOST: Cell = { sees: "OUTCOME_UNKNOWN", attempts: 1, runs: 1 };
const LOST_UNRUN: Cell = { sees: "OUTCOME_UNKNOWN", attempts: 1, runs: 0 };
const LATE: Cell = { sees: "TIMEOUT", attempts: 1, runs: 1 };
const LATE_UNRUN: Cell = { sees: "TIMEOUT", attempts: 1, runs: 0 };
const REFUSED: Cell = { sees: "CONNECTION_FAILED", attempts: 1, runs: 0 };
const ERROR_OF_SERVER: Cell = { sees: "-32601", attempts: 1, runs: 0 };

const AT_ONCE = "at once";
const ATTEMPT = "after `attemptTimeoutMs`";

export const EXPECTED: readonly ExpectedRow[] = [
  stdio("process killed", "outcome-unknown", RAN_TWICE, LOST, AT_ONCE, "replaced", "counts"),
  stdio("process frozen", "timed-out", RAN_TWICE, LATE, ATTEMPT, "set aside", "counts"),
  stdio("process exits cleanly", "outcome-unknown", RAN_TWICE, LOST, AT_ONCE, "replaced", "counts"),
  stdio("stdout closed", "outcome-unknown", RAN_TWICE, LOST, AT_ONCE, "replaced", "counts"),
  stdio("garbage line", "ok", ANSWER_AT_ONCE, ANSWER_AT_ONCE, AT_ONCE, "kept", "does not count"),
  stdio("half a line", "timed-out", RAN_TWICE, LATE, ATTEMPT, "kept", "counts"),
  stdio("oversized message", "outcome-unknown", RAN_TWICE, LOST, AT_ONCE, "replaced", "counts"),
  http("connection refused", "not-sent", AGAIN, AGAIN, "at once, then the pauses between tries", "replaced", "counts"),
  http("connection reset", "outcome-unknown", AGAIN, LOST_UNRUN, AT_ONCE, "replaced", "counts"),
  http("no answer", "timed-out", AGAIN, LATE_UNRUN, ATTEMPT, "kept", "counts"),
  http("401", "unauthorised", REFUSED, REFUSED, AT_ONCE, "kept", "does not count"),
  http("404 for the session", "ok", ANSWER_AT_ONCE, ANSWER_AT_ONCE, AT_ONCE, "renewed", "does not count"),
  http("404 with -32601", "answered", ERROR_OF_SERVER, ERROR_OF_SERVER, AT_ONCE, "kept", "does not count"),
  http("429 with Retry-After", "overloaded", AGAIN, AGAIN, "after `Retry-After`", "kept", "does not count"),
  http("500", "outcome-unknown", AGAIN, LOST_UNRUN, AT_ONCE, "replaced", "counts"),
  http("503", "overloaded", AGAIN, AGAIN, "after a pause with jitter", "kept", "does not count"),
  http("event stream cut off", "outcome-unknown", RAN_TWICE, LOST, AT_ONCE, "replaced", "counts"),
  http("event stream ended in mid-call", "outcome-unknown", RAN_TWICE, LOST, AT_ONCE, "replaced", "counts"),
  http("slow drip", "timed-out", AGAIN, LATE_UNRUN, ATTEMPT, "kept", "counts"),
];

function stdio(fault: string, judgement: string, safe: Cell, unsafe: Cell, ...rest: Rest): ExpectedRow {
  return row("stdio", fault, judgement, safe, unsafe, rest);
}

function http(fault: string, judgement: string, safe: Cell, unsafe: Cell, ...rest: Rest): ExpectedRow {
  return row("HTTP", fault, judgement, safe, unsafe, rest);
}

type Rest = [time: string, connection: ExpectedRow["connection"], breaker: ExpectedRow["breaker"]];

function row(
  transport: ExpectedRow["transport"],
  fault: string,
  judgement: string,
  safe: Cell,
  unsafe: Cell,
  [time, connection, breaker]: Rest,
): ExpectedRow {
  return { transport, fault, judgement, safe, unsafe, time, connection, breaker };
}
