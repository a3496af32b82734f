import { LateMap } from "./late-collections.ts";
import type { LoggingLevel } from "./session-logging.ts";

/** Identities whose levels are kept; beyond that the one that was set first is forgotten. */
const MAX_LEVELS = 10_000;

/** The logging levels that were set on one server, by identity: they outlive pools, which come and go. */
export class LoggingLevels {
  readonly #levels = new LateMap<string | undefined, LoggingLevel>();

  of(identity: string | undefined): LoggingLevel | undefined {
    return this.#levels.get(identity);
  }

  set(identity: string | undefined, level: LoggingLevel): void {
    this.#levels.delete(identity);
    this.#levels.set(identity, level);
    if (this.#levels.size <= MAX_LEVELS) return;
    const [oldest] = this.#levels.keys();
    this.#levels.delete(oldest);
  }
}
