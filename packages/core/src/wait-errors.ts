import type { PoolContext } from "./context.ts";
import {
  McpConnectionError,
  McpPoolClosedError,
  type McpPoolError,
  McpPoolExhaustedError,
  McpSessionLostError,
  McpTimeoutError,
  type PoolCounts,
} from "./errors.ts";
import type { Expiry, Waiter } from "./waiter.ts";

/** Makes the error for a caller whose time is up while it waits. */
export function expiryError(
  context: PoolContext,
  counts: PoolCounts,
  waiter: Waiter,
  expiry: Expiry,
  lastConnectError: McpPoolError | undefined,
): McpPoolError {
  const { serverName, clock } = context;
  const afterMs = Math.round(waiter.waitedMs(clock.now()));
  const isOpening = waiter.mode === "opening";
  const { mayHaveRun = false } = waiter.terms;
  const outcome = mayHaveRun ? "unknown" : "not-sent";
  // All places are held by connections that nobody can use: given up while they open, or not closed yet.
  const isStuck = !isOpening && counts.total >= counts.max && counts.used + counts.idle === 0;
  if (expiry === "limit" && waiter.terms.kind === "request") {
    const again = mayHaveRun ? " again" : "";
    const earlier = mayHaveRun ? ", and an earlier attempt may have run" : "";
    const taken = isStuck ? "all places were held by connections that did not open or close" : "all room was taken";
    const why = isOpening ? "a connection was still being opened" : taken;
    return new McpTimeoutError(
      `the request to MCP server "${serverName}" was not sent${again} within its ${afterMs} ms${earlier}: ${why}`,
      {
        serverName,
        counts,
        cause: lastConnectError,
        phase: "request",
        outcome,
      },
    );
  }
  if (isStuck && lastConnectError === undefined) {
    return new McpPoolExhaustedError(
      `no room on MCP server "${serverName}" within ${afterMs} ms: connections that did not open or close in time hold all places for now`,
      { serverName, counts },
    );
  }
  if (!isOpening && !isStuck) {
    // Below its own maximum a pool is held up by what it shares with others.
    const limit =
      counts.total >= counts.max ? "maxConnections" : "maxTotalConnections or the server's maxConcurrentRequests";
    return new McpPoolExhaustedError(
      `no room on MCP server "${serverName}" within ${afterMs} ms; raise ${limit}, or look for leases that are not released`,
      { serverName, counts },
    );
  }
  if (lastConnectError !== undefined) {
    const message = `no connection to MCP server "${serverName}" within ${afterMs} ms: ${lastConnectError.message}`;
    return new McpConnectionError(message, { serverName, counts, cause: lastConnectError });
  }
  return new McpTimeoutError(`MCP server "${serverName}" did not open a connection within ${afterMs} ms`, {
    serverName,
    counts,
    phase: "connect",
    outcome,
  });
}

/** Makes the error for a caller who finds the queue full. */
export function queueFullError({ serverName, options }: PoolContext, counts: PoolCounts): McpPoolExhaustedError {
  const message = `the queue for MCP server "${serverName}" is full (maxWaiting ${options.maxWaiting})`;
  return new McpPoolExhaustedError(message, { serverName, counts });
}

/** Makes the error for the holder of a sticky key whose connection is gone. */
export function stickyLostError({ serverName }: PoolContext, stickyKey: string): McpSessionLostError {
  const message = `the connection to MCP server "${serverName}" that kept the state of sticky key "${stickyKey}" is gone; acquire again for a new one`;
  return new McpSessionLostError(message, { serverName });
}

/** Makes the error for whoever uses a closed pool. */
export function closedError({ serverName }: PoolContext): McpPoolClosedError {
  return new McpPoolClosedError(`the pool of MCP server "${serverName}" is closed`, { serverName });
}
