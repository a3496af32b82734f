import { coarseNow } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionEvent, ServerNotification, Unsubscribe } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { McpConnectionError } from "./errors.ts";
import type { EventHub } from "./event-hub.ts";
import type { ResourceSubscriptions } from "./resource-subscriptions.ts";
import type { SessionLogging } from "./session-logging.ts";
import type { ToolList } from "./tool-list.ts";

/** What a session keeps on the server, and what is learnt from it. */
export interface SessionParts {
  readonly tools: ToolList;
  readonly subscriptions: ResourceSubscriptions;
  readonly logging: SessionLogging;
}

/**
 * Listens to one open connection: its end, its signs of life, and what its server announces.
 * Returns why that is not possible, if it is not; such a connection is good for nothing.
 */
export function watchConnection(
  entry: ConnectionEntry,
  context: PoolContext,
  dispatcher: Dispatcher,
  session: SessionParts,
): McpConnectionError | undefined {
  const { clock, events, serverName } = context;
  const { checker } = dispatcher;
  const { tools, subscriptions, logging } = session;
  let leaveTools = () => {};
  const listenForTools = () => {
    leaveTools();
    leaveTools = announcesTools(entry.server.capabilities) ? tools.listen() : () => {};
  };
  const onNotification = (notification: ServerNotification) => {
    checker.alive(entry, coarseNow(clock));
    if (notification.method === "notifications/tools/list_changed") tools.invalidate();
    if (notification.method === "notifications/resources/updated") subscriptions.onUpdated(entry, notification.params);
    if (events.wants("notification-received")) {
      events.emit({ type: "notification-received", connectionId: entry.id, notification });
    }
  };
  const onClosed = (cause: Error | undefined) => {
    if (entry.state !== "closing" && entry.state !== "closed") dispatcher.closer.close(entry, "lost", cause);
  };
  const onEvent = (event: ConnectionEvent) => {
    if (event.type === "session-renewed") {
      entry.renewals++;
      checker.alive(entry, coarseNow(clock));
      tools.ensureVersion(versionOf(entry));
      // The old session took all of these along.
      listenForTools();
      subscriptions.onStopped(entry);
      logging.onOpened(entry);
      events.emit({ type: "session-renewed", connectionId: entry.id });
    } else if (events.wants("stderr-written")) {
      events.emit({ ...event, connectionId: entry.id });
    }
  };
  try {
    tools.ensureVersion(versionOf(entry));
    listenForTools();
    entry.unsubscribes.push(() => leaveTools());
    entry.unsubscribes.push(harmless(entry.connection.onNotification(onNotification), events));
    entry.unsubscribes.push(harmless(entry.connection.onClosed(onClosed), events));
    const leave = entry.connection.onEvent?.(onEvent);
    if (leave !== undefined) entry.unsubscribes.push(harmless(leave, events));
    return undefined;
  } catch (cause) {
    const message = `could not connect to MCP server "${serverName}": the connection cannot be listened to: ${String(cause)}`;
    return new McpConnectionError(message, { serverName, cause });
  }
}

function announcesTools({ tools }: Readonly<Record<string, unknown>>): boolean {
  return typeof tools === "object" && tools !== null && "listChanged" in tools && tools.listChanged === true;
}

function versionOf({ server: { name, version } }: ConnectionEntry): string {
  return `${name}@${version}`;
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
