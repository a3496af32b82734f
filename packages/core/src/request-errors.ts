import type { RequestFailure } from "./connector.ts";
import {
  McpConnectionError,
  McpOutcomeUnknownError,
  type McpPoolErrorOptions,
  McpSessionLostError,
  McpTimeoutError,
  rememberFailure,
} from "./errors.ts";
import type { PoolRequest } from "./plugin.ts";

/** Turns a judged failure into the error that the caller sees. A server's own JSON-RPC error passes through. */
export function requestError(
  failure: RequestFailure,
  request: PoolRequest,
  serverName: string,
  isExclusive: boolean,
): unknown {
  const error = translate(
    failure,
    describeRequest(request, serverName),
    { serverName, cause: failure.cause ?? failure },
    isExclusive,
  );
  rememberFailure(error, failure);
  return error;
}

/** Names a request for messages, such as `tools/call "echo" on MCP server "files"`. */
export function describeRequest(request: PoolRequest, serverName: string): string {
  const target = targetOf(request);
  return `${request.method}${target === undefined ? "" : ` "${target}"`} on MCP server "${serverName}"`;
}

/** Returns the tool's or the prompt's name, where the request has one. */
export function targetOf({ params }: { readonly params: unknown }): string | undefined {
  // A caller may give anything.
  const name = typeof params === "object" && params !== null && "name" in params ? params.name : undefined;
  return typeof name === "string" ? name : undefined;
}

/** Whether an answer is a tool's own failure: a result with `isError`. */
export function isToolError(method: string, result: unknown): boolean {
  return method === "tools/call" && (result as { isError?: unknown } | undefined)?.isError === true;
}

function translate(failure: RequestFailure, what: string, options: McpPoolErrorOptions, isExclusive: boolean): unknown {
  const { judgement, message, retryAfterMs } = failure;
  switch (judgement) {
    case "answered":
      return failure.cause ?? failure;
    case "not-sent":
      return new McpConnectionError(`${what} was not sent: ${message}`, options);
    case "overloaded":
      return new McpConnectionError(`${what} was refused, since the server is overloaded: ${message}`, {
        ...options,
        retryAfterMs,
      });
    case "unauthorised":
      return new McpConnectionError(
        `${what} was refused, since the server does not accept the credentials: ${message}`,
        options,
      );
    case "session-lost":
      return isExclusive
        ? new McpSessionLostError(
            `${what} was refused, since the server has forgotten the session: ${message}`,
            options,
          )
        : new McpConnectionError(
            `${what} was not run, since the server has forgotten the session: ${message}`,
            options,
          );
    case "timed-out":
      return new McpTimeoutError(`${what} got no answer in time; it may have run: ${message}`, {
        ...options,
        phase: "request",
        outcome: "unknown",
      });
    case "aborted":
    case "outcome-unknown":
      return new McpOutcomeUnknownError(`${what} may have run, and was not repeated: ${message}`, options);
  }
}
