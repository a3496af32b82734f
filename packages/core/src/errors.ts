import type { Judgement, RequestFailure } from "./connector.ts";

/** Stable codes of the errors this project throws. */
export type McpPoolErrorCode =
  | "CONNECTION_FAILED"
  | "POOL_EXHAUSTED"
  | "CIRCUIT_OPEN"
  | "TIMEOUT"
  | "HEALTH_CHECK_FAILED"
  | "VALIDATION_FAILED"
  | "OUTCOME_UNKNOWN"
  | "SESSION_LOST"
  | "SERVER_NOT_FOUND"
  | "INVALID_CONFIGURATION"
  | "POOL_CLOSED";

/** Numbers of a pool at the moment an error was made. */
export interface PoolCounts {
  /** Connections open, opening or closing. */
  readonly total: number;
  /** Connections with at least one lease or request on them. */
  readonly used: number;
  /** Open connections with nothing on them. */
  readonly idle: number;
  /** Callers waiting for room. */
  readonly waiting: number;
  readonly max: number;
}

/** What every error carries besides its message. */
export interface McpPoolErrorOptions {
  readonly serverName?: string | undefined;
  readonly cause?: unknown;
  readonly counts?: PoolCounts | undefined;
}

/** Marks errors of every copy of this package. */
const BRAND = Symbol.for("mcp-pool.error");

/** The base of every error this project throws. */
export class McpPoolError extends Error {
  override readonly name: string = "McpPoolError";
  readonly code: McpPoolErrorCode;
  readonly serverName: string | undefined;
  readonly counts: PoolCounts | undefined;

  constructor(code: McpPoolErrorCode, message: string, options: McpPoolErrorOptions = {}) {
    super(
      options.counts === undefined ? message : `${message} (${describeCounts(options.counts)})`,
      "cause" in options ? { cause: options.cause } : undefined,
    );
    this.code = code;
    this.serverName = options.serverName;
    this.counts = options.counts;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Tells whether a value is an error of this project, also one of another copy of the package. */
  static isInstance(value: unknown): value is McpPoolError {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

/** No connection could be opened, it was lost before the request was sent, or the server refused the request: overloaded, unauthorised, or its session forgotten. */
export class McpConnectionError extends McpPoolError {
  override readonly name: string = "McpConnectionError";
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: McpPoolErrorOptions & { readonly retryAfterMs?: number | undefined } = {}) {
    super("CONNECTION_FAILED", message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** All room stayed taken for the whole acquire timeout, or the wait queue is full. */
export class McpPoolExhaustedError extends McpPoolError {
  override readonly name: string = "McpPoolExhaustedError";

  constructor(message: string, options: McpPoolErrorOptions = {}) {
    super("POOL_EXHAUSTED", message, options);
  }
}

/** The circuit breaker refused the call. */
export class CircuitBreakerOpenError extends McpPoolError {
  override readonly name: string = "CircuitBreakerOpenError";
  /** Milliseconds until the breaker lets a trial through. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: McpPoolErrorOptions & { readonly retryAfterMs?: number | undefined } = {}) {
    super("CIRCUIT_OPEN", message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What was under way when a deadline passed. */
export type TimeoutPhase = "connect" | "request" | "health-check";

/** A deadline passed. */
export class McpTimeoutError extends McpPoolError {
  override readonly name: string = "McpTimeoutError";
  readonly phase: TimeoutPhase;
  /** `not-sent`: the server never saw the request, or refused to run it. `unknown`: it may have run. */
  readonly outcome: "not-sent" | "unknown";

  constructor(
    message: string,
    options: McpPoolErrorOptions & { readonly phase: TimeoutPhase; readonly outcome: "not-sent" | "unknown" },
  ) {
    super("TIMEOUT", message, options);
    this.phase = options.phase;
    this.outcome = options.outcome;
  }
}

/** A connection did not pass its check. */
export class McpHealthCheckError extends McpPoolError {
  override readonly name: string = "McpHealthCheckError";

  constructor(message: string, options: McpPoolErrorOptions = {}) {
    super("HEALTH_CHECK_FAILED", message, options);
  }
}

/** One problem with a value: where it is, and what is wrong. */
export interface Issue {
  /** Dotted path of the value, such as `pool.maxConnections`. */
  readonly path: string;
  readonly message: string;
  /** The file it stands in, where there is one. */
  readonly file?: string | undefined;
  /** Counted from 1. */
  readonly line?: number | undefined;
  /** Counted from 1. */
  readonly column?: number | undefined;
  /** What would be right, as in "must be …". */
  readonly expected?: string | undefined;
  /** What is there instead; never a secret. */
  readonly found?: string | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** Data of the caller or of the server has the wrong form. */
export class McpValidationError extends McpPoolError {
  override readonly name: string = "McpValidationError";
  readonly issues: readonly Issue[];

  constructor(message: string, options: McpPoolErrorOptions & { readonly issues?: readonly Issue[] } = {}) {
    super("VALIDATION_FAILED", message, options);
    this.issues = options.issues ?? [];
  }
}

/** The request may have run; its answer is lost, and it was not repeated. */
export class McpOutcomeUnknownError extends McpPoolError {
  override readonly name: string = "McpOutcomeUnknownError";

  constructor(message: string, options: McpPoolErrorOptions = {}) {
    super("OUTCOME_UNKNOWN", message, options);
  }
}

/** The state behind an exclusive lease or a sticky key is gone; nothing was repeated. */
export class McpSessionLostError extends McpPoolError {
  override readonly name: string = "McpSessionLostError";

  constructor(message: string, options: McpPoolErrorOptions = {}) {
    super("SESSION_LOST", message, options);
  }
}

/** No server of that name is configured. */
export class McpServerNotFoundError extends McpPoolError {
  override readonly name: string = "McpServerNotFoundError";
  readonly knownServers: readonly string[];

  /** @param place where the name stands, for the message */
  constructor(serverName: string, knownServers: readonly string[], place?: string) {
    const known = knownServers.length === 0 ? "none is configured" : `known: ${knownServers.join(", ")}`;
    const where = place === undefined ? "" : `${place}: `;
    super("SERVER_NOT_FOUND", `${where}unknown MCP server "${serverName}"; ${known}`, { serverName });
    this.knownServers = knownServers;
  }
}

/** The configuration has problems; all of them are listed. */
export class McpConfigurationError extends McpPoolError {
  override readonly name: string = "McpConfigurationError";
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[], options: McpPoolErrorOptions = {}) {
    super("INVALID_CONFIGURATION", `invalid configuration: ${issues.map(describeIssue).join("; ")}`, options);
    this.issues = issues;
  }
}

/** The pool or the manager was used after `close()`. */
export class McpPoolClosedError extends McpPoolError {
  override readonly name: string = "McpPoolClosedError";

  constructor(message: string, options: McpPoolErrorOptions = {}) {
    super("POOL_CLOSED", message, options);
  }
}

const failures = new WeakMap<object, RequestFailure>();

/** Remembers the judged failure behind an error that a caller will see. */
export function rememberFailure(error: unknown, failure: RequestFailure): void {
  if (typeof error === "object" && error !== null) failures.set(error, failure);
}

/** Returns the judged failure behind an error that a request ended with, if it has one. */
export function failureOf(error: unknown): RequestFailure | undefined {
  return typeof error === "object" && error !== null ? failures.get(error) : undefined;
}

/** Returns the judgement behind an error that a request ended with, if it has one. */
export function judgementOf(error: unknown): Judgement | undefined {
  return failureOf(error)?.judgement;
}

/** Puts an issue into words: where it is, what is wrong, what to do. */
function describeIssue({ path, message, file, line, column, hint }: Issue): string {
  const place = [file, line, column].filter((each) => each !== undefined).join(":");
  const where = [place, path].filter((each) => each !== "").join(" ");
  return `${where === "" ? "" : `${where}: `}${message}${hint === undefined ? "" : ` (${hint})`}`;
}

function describeCounts(counts: PoolCounts): string {
  return `total ${counts.total} of ${counts.max}, used ${counts.used}, idle ${counts.idle}, waiting ${counts.waiting}`;
}
