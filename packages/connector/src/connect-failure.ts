import { type Judgement, RequestFailure, type RequestFailureOptions } from "@mcp-pool/core";

/** Details of a {@link ConnectFailure}. */
export interface ConnectFailureOptions extends RequestFailureOptions {
  /** @default "not-sent" */
  readonly judgement?: Judgement | undefined;
  readonly code?: string | undefined;
}

/** What `connect` rejects with: no connection was opened, and nothing of the attempt is left. */
export class ConnectFailure extends RequestFailure {
  override readonly name: string = "ConnectFailure";
  /** The system's code, such as `ENOENT` or `ECONNREFUSED`, where there is one. */
  readonly code: string | undefined;

  constructor(message: string, options: ConnectFailureOptions = {}) {
    super(options.judgement ?? "not-sent", message, options);
    this.code = options.code ?? systemCodeOf(options.cause);
  }
}

/** Walks an error and its causes, the errors of an `AggregateError` included, outermost first. */
export function* causesOf(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > 8) return;
  yield error;
  yield* causesOf(error.cause, depth + 1);
  if (error instanceof AggregateError) for (const part of error.errors) yield* causesOf(part, depth + 1);
}

/** Returns the first system code among an error and its causes: upper case, as `ECONNREFUSED`. */
export function systemCodeOf(error: unknown): string | undefined {
  for (const cause of causesOf(error)) {
    if ("code" in cause && typeof cause.code === "string" && /^[A-Z][A-Z0-9_]+$/.test(cause.code)) return cause.code;
  }
  return undefined;
}
