import type { LogLevel } from "@mcp-pool/config";
import type { PoolControl, PoolEvent, PoolPlugin, Unsubscribe } from "@mcp-pool/core";
import { type Logger, stderrLogger } from "./logger.ts";

/** Writes what happens in all pools to a logger, from one level on. */
export class EventLog {
  readonly #logger: Logger;
  readonly #isOwn: boolean;
  readonly #watches = new Set<() => void>();
  #level: LogLevel | undefined;

  /** @param logger without one, nothing is written before a level is set, and then to stderr */
  constructor(logger: Logger | undefined) {
    this.#logger = logger ?? stderrLogger;
    this.#isOwn = logger === undefined;
    this.#level = this.#isOwn ? undefined : "info";
  }

  /** Sets from which level on events are written, for pools that are there and those to come. */
  setLevel(level: LogLevel | "warning" | undefined): void {
    const wanted = level === "warning" ? "warn" : level;
    this.#level = wanted ?? (this.#isOwn ? undefined : "info");
    for (const watch of this.#watches) watch();
  }

  /** Installs the log in a pool. It listens only for what it writes, so that the rest costs nothing. */
  readonly plugin: PoolPlugin = {
    name: "event-log",
    install: (pool) => {
      let unsubscribe: Unsubscribe | undefined;
      const watch = () => {
        unsubscribe?.();
        unsubscribe = this.#listen(pool);
      };
      watch();
      this.#watches.add(watch);
      return {
        dispose: () => {
          this.#watches.delete(watch);
          unsubscribe?.();
        },
      };
    },
  };

  #listen(pool: PoolControl): Unsubscribe | undefined {
    const level = this.#level;
    if (level === undefined) return undefined;
    const write = (event: PoolEvent) => this.#logger[levelOf(event.type)](describeEvent(event));
    if (level === "debug") return pool.subscribe(write);
    const isWritten = (each: LogLevel) => RANKS[each] >= RANKS[level];
    const types = Object.entries(LEVELS).filter(([, each]) => isWritten(each));
    return pool.subscribe(
      write,
      types.map(([type]) => type as PoolEvent["type"]),
    );
  }
}

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Levels of events; all others are details, for `debug`. */
const LEVELS: Readonly<Partial<Record<PoolEvent["type"], LogLevel>>> = {
  "connection-opened": "info",
  "connection-closed": "info",
  "session-renewed": "info",
  "connection-cleared": "info",
  "request-retried": "info",
  "pool-reconfigured": "info",
  "pool-closed": "info",
  "connection-failed": "warn",
  "connection-suspected": "warn",
  "connects-paused": "warn",
  "circuit-state-changed": "warn",
  "health-check-failed": "warn",
  "acquire-failed": "warn",
  "lease-leaked": "warn",
  "lease-released-again": "warn",
  "sticky-key-lost": "warn",
  "handler-failed": "warn",
  "listener-failed": "error",
};

function levelOf(type: PoolEvent["type"]): LogLevel {
  return LEVELS[type] ?? "debug";
}

/** Values that tell more than they cost to read; the rest of an event is for programs. */
function describeEvent({ type, poolName, ...detail }: PoolEvent): string {
  const parts = Object.entries(detail).flatMap(([key, value]) => {
    if (key === "serverName" || value === undefined || key === "stickyKey" || key === "identity") return [];
    if (value instanceof Error) return [`${key}=${JSON.stringify(value.message)}`];
    if (key === "lines") return [JSON.stringify(value)];
    if (typeof value === "number") return [`${key}=${Math.round(value * 10) / 10}`];
    return typeof value === "string" || typeof value === "boolean" ? [`${key}=${value}`] : [];
  });
  return [`mcp-pool ${poolName}: ${type}`, ...parts].join(" ").replace(/[\r\n]+/g, " ⏎ ");
}
