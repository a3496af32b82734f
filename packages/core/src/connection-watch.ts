import type { ConnectionEntry } from "./connection-entry.ts";
import type { ServerNotification } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ToolList } from "./tool-list.ts";

/** Listens to one open connection: its end, its signs of life, and what its server announces. */
export function watchConnection(
  entry: ConnectionEntry,
  context: PoolContext,
  dispatcher: Dispatcher,
  tools: ToolList,
): void {
  const { clock, events } = context;
  const { name, version } = entry.server;
  tools.ensureVersion(`${name}@${version}`);
  const onNotification = (notification: ServerNotification) => {
    dispatcher.checker.alive(entry, clock.now());
    if (notification.method === "notifications/tools/list_changed") tools.invalidate();
    if (events.wants("notification-received")) {
      events.emit({ type: "notification-received", connectionId: entry.id, notification });
    }
  };
  const onClosed = (cause: Error | undefined) => {
    if (entry.state !== "closing" && entry.state !== "closed") dispatcher.closer.close(entry, "lost", cause);
  };
  entry.unsubscribes.push(entry.connection.onNotification(onNotification), entry.connection.onClosed(onClosed));
}
