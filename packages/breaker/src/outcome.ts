import { judgementOf, McpPoolError } from "@mcp-pool/core";

/** What a call says about the server: `neutral` says nothing. */
export type Outcome = "success" | "failure" | "neutral";

/**
 * Says what the failure of a call means for a circuit breaker. An answer is a success, whatever it says; saturation,
 * back-pressure, refused credentials, a caller's abort and our own refusals say nothing about the server's health.
 */
export function outcomeOf(error: unknown): Outcome {
  const judgement = judgementOf(error);
  switch (judgement) {
    case "not-sent":
    case "outcome-unknown":
    case "timed-out":
      return "failure";
    case "answered":
      return "success";
    case "aborted":
    case "overloaded":
    case "session-lost":
    case "unauthorised":
    case undefined:
      return "neutral";
  }
}

/** The same for a call that need not be one of a pool: an error that is not ours is a failure. */
export function outcomeOfAny(error: unknown): Outcome {
  return McpPoolError.isInstance(error) || judgementOf(error) !== undefined ? outcomeOf(error) : "failure";
}
