import { failureOf, type Judgement, McpPoolError } from "@mcp-pool/core";
import { OTHER } from "./names.ts";

/** How an operation failed, in the words of the conventions. */
export interface OperationError {
  /** `error.type`: a JSON-RPC code, `tool_error`, `timeout`, an HTTP status, a system code, or our word for it; never a message. */
  readonly type: string;
  /** The code of a JSON-RPC error. */
  readonly rpcStatus: string | undefined;
}

export const TOOL_ERROR: OperationError = { type: "tool_error", rpcStatus: undefined };

/** The caller gave up. */
export const ABORTED = "aborted";

/** Says how one attempt failed; `undefined` when it did not. */
export function attemptError(
  judgement: Judgement | "ok",
  isToolError: boolean,
  error: unknown,
): OperationError | undefined {
  if (judgement === "ok") return isToolError ? TOOL_ERROR : undefined;
  const httpStatus = failureOf(error)?.httpStatus;
  switch (judgement) {
    case "answered": {
      const code = httpStatus === undefined ? rpcCodeOf(error) : undefined;
      if (code !== undefined) return { type: code, rpcStatus: code };
      return plain(httpStatus === undefined ? OTHER : String(httpStatus));
    }
    case "timed-out":
      return plain("timeout");
    case "aborted":
      return plain(ABORTED);
    case "not-sent":
    case "outcome-unknown":
    case "overloaded":
    case "session-lost":
    case "unauthorised":
      return plain(httpStatus === undefined ? (systemCodeOf(error) ?? judgement) : String(httpStatus));
  }
}

/** Says how a request failed for its caller. */
export function requestError(error: unknown): OperationError {
  const judgement = failureOf(error)?.judgement;
  if (judgement !== undefined) return attemptError(judgement, false, error) ?? plain(OTHER);
  const code = McpPoolError.isInstance(error) ? undefined : rpcCodeOf(error);
  if (code === undefined && !McpPoolError.isInstance(error)) return plain(OTHER);
  return code === undefined ? plain(poolErrorType(error)) : { type: code, rpcStatus: code };
}

/** Says why a caller got no connection, why none could be opened, or why a check failed. */
export function poolErrorType(error: unknown): string {
  // All else is the reason of a caller's signal, which may be anything.
  if (!McpPoolError.isInstance(error)) return ABORTED;
  if (error.code === "TIMEOUT") return "timeout";
  if (error.code !== "CONNECTION_FAILED") return error.code;
  const httpStatus = failureOf(error)?.httpStatus;
  return httpStatus === undefined ? (systemCodeOf(error) ?? error.code) : String(httpStatus);
}

function plain(type: string): OperationError {
  return { type, rpcStatus: undefined };
}

function rpcCodeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "number" && Number.isInteger(error.code) ? String(error.code) : undefined;
}

/** The first system code among an error and its causes, such as `ECONNREFUSED`. */
function systemCodeOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++) {
    if (McpPoolError.isInstance(each) || !("code" in each)) continue;
    if (typeof each.code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(each.code)) return each.code;
  }
  return undefined;
}
