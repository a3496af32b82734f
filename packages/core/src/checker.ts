import type { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionSet } from "./connection-set.ts";
import type { PoolContext } from "./context.ts";
import { Timeout } from "./deadline-wheel.ts";
import { McpHealthCheckError } from "./errors.ts";
import { invoke } from "./opener.ts";

/** Time for one probe in milliseconds; HikariCP's `validationTimeout`. */
const PROBE_TIMEOUT_MS = 5_000;

/** What the checker tells its pool. */
export interface CheckerHost {
  onPassed(entry: ConnectionEntry): void;
  /** A probe failed, with work on the connection: its room is not to be counted on. */
  onStillInDoubt(): void;
  onDied(entry: ConnectionEntry, cause: McpHealthCheckError): void;
}

/** Probes connections that are in doubt. Meanwhile they serve nobody new; one probe at a time for each. */
export class Checker {
  readonly #context: PoolContext;
  readonly #set: ConnectionSet;
  readonly #host: CheckerHost;

  constructor(context: PoolContext, set: ConnectionSet, host: CheckerHost) {
    this.#context = context;
    this.#set = set;
    this.#host = host;
  }

  /** Room that becomes free if the probes under way pass. */
  get room(): number {
    return this.#set.checkingRoom;
  }

  /** Keeps new work away from an entry until a probe passes, or it speaks. */
  suspect(entry: ConnectionEntry, cause: unknown): void {
    if (!entry.isUsable || entry.isSuspect) return;
    entry.isSuspect = true;
    this.check(entry);
    this.#context.events.emit({ type: "connection-suspected", connectionId: entry.id, cause });
  }

  /** Takes the entry out of use until a probe passes. */
  check(entry: ConnectionEntry): void {
    if (entry.isProbing || !entry.isUsable) return;
    entry.isProbing = true;
    this.#set.move(entry, "checking");
    // Nobody waits for the room of a suspect, nor, but for its own callers, of a connection kept for a key.
    const room = entry.isSuspect || entry.stickyKey !== undefined ? 0 : entry.room - entry.inFlight;
    this.#set.checkingRoom += room;
    const controller = new AbortController();
    let isOver = false;
    const stop = () => {
      isOver = true;
      this.#context.wheel.remove(deadline);
      this.#set.checkingRoom -= room;
      entry.isProbing = false;
      entry.cancelProbe = undefined;
    };
    const end = (cause?: McpHealthCheckError) => {
      if (isOver) return;
      stop();
      this.#end(entry, cause);
    };
    entry.cancelProbe = () => {
      stop();
      controller.abort();
    };
    const deadline = new Timeout(() => {
      const cause = this.#error(`did not answer a probe within ${PROBE_TIMEOUT_MS} ms`);
      end(cause);
      controller.abort(cause);
    });
    this.#context.wheel.set(deadline, this.#context.clock.now() + PROBE_TIMEOUT_MS);
    invoke(() => entry.connection.probe(controller.signal)).then(
      () => end(),
      (cause: unknown) => end(this.#error("failed a probe", cause)),
    );
  }

  /** Takes note of a sign of life; a suspect that speaks again is trusted again. */
  alive(entry: ConnectionEntry, now: number): void {
    entry.lastAliveAt = now;
    if (entry.isSuspect && entry.state === "checking" && !entry.isProbing) this.#end(entry, undefined);
  }

  /** Asks an entry whether it is alive, beside its work; an answer is a sign of life. */
  async probe(entry: ConnectionEntry, signal: AbortSignal): Promise<void> {
    await entry.connection.probe(signal);
    this.alive(entry, this.#context.clock.now());
  }

  #end(entry: ConnectionEntry, cause: McpHealthCheckError | undefined): void {
    if (entry.state !== "checking") return;
    if (cause === undefined) {
      entry.lastAliveAt = this.#context.clock.now();
      const wasSuspect = entry.isSuspect;
      entry.isSuspect = false;
      this.#set.move(entry, entry.inFlight < entry.room ? "ready" : "busy");
      if (wasSuspect) this.#context.events.emit({ type: "connection-cleared", connectionId: entry.id });
      this.#host.onPassed(entry);
    } else if (entry.inFlight === 0) {
      this.#host.onDied(entry, cause);
    } else {
      // A busy single-threaded server answers no probe. It stays in doubt until it speaks or is empty.
      entry.isSuspect = true;
      this.#host.onStillInDoubt();
    }
  }

  #error(what: string, cause?: unknown): McpHealthCheckError {
    const { serverName } = this.#context;
    return new McpHealthCheckError(`a connection to MCP server "${serverName}" ${what}`, { serverName, cause });
  }
}
