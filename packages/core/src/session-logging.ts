import type { ConnectionEntry } from "./connection-entry.ts";
import { McpValidationError } from "./errors.ts";

/** How grave a log message of a server is, as in syslog. */
export type LoggingLevel = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";

const LEVELS: readonly LoggingLevel[] = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
];

/** Names the level in each request, from protocol revision 2026-07-28 on. */
const META_KEY = "io.modelcontextprotocol/logLevel";

/** What the logging of a pool's sessions needs of the pool. */
export interface SessionLoggingHost {
  readonly serverName: string;
  entries(): Iterable<ConnectionEntry>;
  setLevel(entry: ConnectionEntry, level: LoggingLevel): Promise<unknown>;
  onFailed(error: unknown): void;
}

/** Keeps the level from which on a server sends log messages, on connections to come, too. */
export class SessionLogging {
  readonly #host: SessionLoggingHost;
  #level: LoggingLevel | undefined;

  /** @param level what was set before there was the pool */
  constructor(host: SessionLoggingHost, level: LoggingLevel | undefined) {
    this.#host = host;
    this.#level = level;
  }

  /** What requests of the 2026-07-28 protocol say of it. */
  get meta(): Readonly<Record<string, unknown>> | undefined {
    return this.#level === undefined ? undefined : { [META_KEY]: this.#level };
  }

  /**
   * Sets the level for all connections, now and later.
   * @throws {McpValidationError} for what is no level; or the first refusal of a server, which changes nothing for others
   */
  async set(level: LoggingLevel): Promise<void> {
    checkLevel(level, this.#host.serverName);
    this.#level = level;
    const entries = [...this.#host.entries()].filter((entry) => entry.isUsable && takesLevel(entry));
    await Promise.all(entries.map((entry) => this.#host.setLevel(entry, level)));
  }

  /** A connection that refuses the level is as good as any otherwise. */
  onOpened(entry: ConnectionEntry): void {
    if (this.#level === undefined || !takesLevel(entry)) return;
    this.#host.setLevel(entry, this.#level).catch((error: unknown) => this.#host.onFailed(error));
  }
}

/** @throws {McpValidationError} for what is no level */
export function checkLevel(level: unknown, serverName: string): void {
  if (LEVELS.some((each) => each === level)) return;
  const message = `must be one of ${LEVELS.join(", ")}`;
  const text = `invalid logging level for MCP server "${serverName}", so it was not set: it ${message}`;
  throw new McpValidationError(text, { serverName, issues: [{ path: "level", message }] });
}

function takesLevel({ era, server }: ConnectionEntry): boolean {
  return era === "legacy" && server.capabilities.logging !== undefined;
}
