import type { ConnectionEntry } from "./connection-entry.ts";
import type { ServerNotification, Unsubscribe } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { McpConnectionError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import type { ToolList } from "./tool-list.ts";

/**
 * Listens to one open connection: its end, its signs of life, and what its server announces.
 * Returns why that is not possible, if it is not; such a connection is good for nothing.
 */
export function watchConnection(
  entry: ConnectionEntry,
  context: PoolContext,
  dispatcher: Dispatcher,
  tools: ToolList,
): McpConnectionError | undefined {
  const { coarseNow, events, serverName } = context;
  const onNotification = (notification: ServerNotification) => {
    dispatcher.checker.alive(entry, coarseNow());
    if (notification.method === "notifications/tools/list_changed") tools.invalidate();
    if (events.wants("notification-received")) {
      events.emit({ type: "notification-received", connectionId: entry.id, notification });
    }
  };
  const onClosed = (cause: Error | undefined) => {
    if (entry.state !== "closing" && entry.state !== "closed") dispatcher.closer.close(entry, "lost", cause);
  };
  try {
    const { name, version } = entry.server;
    tools.ensureVersion(`${name}@${version}`);
    entry.unsubscribes.push(harmless(entry.connection.onNotification(onNotification), events));
    entry.unsubscribes.push(harmless(entry.connection.onClosed(onClosed), events));
    return undefined;
  } catch (cause) {
    const message = `could not connect to MCP server "${serverName}": the connection cannot be listened to: ${String(cause)}`;
    return new McpConnectionError(message, { serverName, cause });
  }
}

/** What a connection throws while it is left must not keep its place from being freed. */
function harmless(unsubscribe: Unsubscribe, events: EventHub): Unsubscribe {
  return () => {
    try {
      unsubscribe();
    } catch (error) {
      events.emit({ type: "listener-failed", error });
    }
  };
}
