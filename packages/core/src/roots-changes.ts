import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import { McpConnectionError, McpPoolError, McpTimeoutError, McpValidationError } from "./errors.ts";
import type { ResolvedPoolOptions } from "./options.ts";

const CHANGED = { method: "notifications/roots/list_changed" } as const;

/** Whether servers are told that the client has roots, and announces when they change. */
export function announcesRootsChanges({
  handlers,
  leaseHandlers,
}: Pick<ResolvedPoolOptions, "handlers" | "leaseHandlers">): boolean {
  const hasRoots = handlers?.roots !== undefined || leaseHandlers.includes("roots");
  return hasRoots && handlers?.features?.roots?.listChanged === true;
}

/**
 * Tells the server on each of the connections that the roots have changed, so that it asks for them again. From protocol
 * revision 2026-07-28 on there is nothing to tell: servers ask with each call.
 * @throws {McpValidationError} when servers were not told to expect it
 * @throws {McpConnectionError} when a connection that goes on did not take it
 */
export async function sendRootsListChanged(entries: Iterable<ConnectionEntry>, context: PoolContext): Promise<void> {
  const { serverName, options, clock } = context;
  if (!announcesRootsChanges(options)) throw untold(serverName);
  const controller = new AbortController();
  const expire = () => {
    const message = `MCP server "${serverName}" did not take notice of changed roots within ${options.requestTimeoutMs} ms`;
    controller.abort(new McpTimeoutError(message, { serverName, phase: "request", outcome: "unknown" }));
  };
  const timer = clock.setTimer(expire, options.requestTimeoutMs);
  try {
    await Promise.all([...entries].filter(listens).map((entry) => send(entry, serverName, controller.signal)));
  } finally {
    timer.cancel();
  }
}

async function send(entry: ConnectionEntry, serverName: string, signal: AbortSignal): Promise<void> {
  try {
    await entry.connection.sendNotification?.(CHANGED, signal);
  } catch (cause) {
    // On its successor the server asks anyway.
    if (!listens(entry)) return;
    if (McpPoolError.isInstance(signal.reason)) throw signal.reason;
    const message = `MCP server "${serverName}" could not be told of changed roots: ${String(cause)}`;
    throw new McpConnectionError(message, { serverName, cause });
  }
}

/** Draining connections, too, have work under way that may look at the roots. */
function listens({ era, state, announced }: ConnectionEntry): boolean {
  return era === "legacy" && state !== "closing" && state !== "closed" && announced.has("roots");
}

function untold(serverName: string): McpValidationError {
  const message = "must hold roots, and features: { roots: { listChanged: true } }, so that servers expect changes";
  const text = `MCP server "${serverName}" was not told of changed roots: handlers ${message}`;
  return new McpValidationError(text, { serverName, issues: [{ path: "handlers", message }] });
}
