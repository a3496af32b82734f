import type { ConnectionEntry } from "./connection-entry.ts";
import { RequestFailure } from "./connector.ts";
import { isDeclaredSafe } from "./declared-safe.ts";
import type { PoolControl, PooledConnection } from "./plugin.ts";
import type { PoolParts } from "./pool-parts.ts";

/** What the plugins of a pool may see of it and do to it. */
export function poolControl(parts: PoolParts): PoolControl {
  const { context, dispatcher } = parts;
  const { poolName, serverName, identity, clock, events, server } = context;
  return {
    poolName,
    serverName,
    identity,
    clock,
    get options() {
      return context.options;
    },
    subscribe: (listener, types) => events.subscribe(listener, types),
    emit: (event) => {
      if (event.type === "circuit-rejected") context.counters.errors.circuitOpen++;
      events.emit(event);
    },
    stats: () => parts.stats(),
    connections: () => [...dispatcher.set],
    retire: ({ id }, reason) => {
      const entry = [...dispatcher.set].find((each) => each.id === id);
      if (entry !== undefined) dispatcher.closer.retire(entry, reason);
    },
    refill: () => dispatcher.dispatch(),
    open: () => !dispatcher.isClosed && dispatcher.growth.openOne(),
    probe: async (connection, signal) => dispatcher.checker.probe(entryOf(connection), signal),
    ask: async (connection, method, params, signal) =>
      entryOf(connection).connection.request(method, params, { signal }),
    leases: () => parts.leases.tracked(),
    trackLeases: () => parts.leases.track(),
    isDeclaredSafe: (request) => isDeclaredSafe(request, context.options, parts.tools, clock),
    shared<T>(name: string, create: () => T): T {
      if (!server.shared.has(name)) server.shared.set(name, create());
      return server.shared.get(name) as T;
    },
    plugin: (name) => parts.plugins.handle(name),
  };

  function entryOf({ id }: PooledConnection): ConnectionEntry {
    for (const entry of dispatcher.set) if (entry.id === id && entry.state !== "closing") return entry;
    throw new RequestFailure("not-sent", `connection ${id} is closed`);
  }
}
