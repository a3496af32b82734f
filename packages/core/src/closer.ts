import type { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionSet } from "./connection-set.ts";
import type { CloseReason } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import { GRACE_MS, invoke } from "./opener.ts";

/** How long a retired connection may go on with what is on it, in milliseconds. */
const DRAIN_MS = 300_000;

/** How far back a failure counts as recent, in milliseconds, and how many are remembered. */
const RECENT_MS = 300_000;
const MAX_REMEMBERED = 1_000;

/** What the closer tells its pool. */
export interface CloserHost {
  /** The entry serves nobody from now on. */
  onStopped(entry: ConnectionEntry, reason: CloseReason): void;
  /** The entry's place is free again; called once for each, before anybody hears of it. */
  onFreed(entry: ConnectionEntry): void;
  onClosed(): void;
}

const FAILURES: ReadonlySet<CloseReason> = new Set(["lost", "request-failed", "probe-failed"]);

/** Takes connections out of use: retire, then drain, then close, each step once. */
export class Closer {
  readonly #context: PoolContext;
  readonly #set: ConnectionSet;
  readonly #host: CloserHost;
  /** When connections were closed by a failure, the latest last. */
  readonly #failures: number[] = [];

  constructor(context: PoolContext, set: ConnectionSet, host: CloserHost) {
    this.#context = context;
    this.#set = set;
    this.#host = host;
  }

  /** Connections closed by a failure in the last five minutes. */
  get recentFailures(): number {
    const since = this.#context.clock.now() - RECENT_MS;
    return this.#failures.filter((at) => at >= since).length;
  }

  /** Closes the entry when nothing is on it; otherwise it takes nothing new, and closes when it is empty or the time is up. */
  retire(entry: ConnectionEntry, reason: CloseReason, cause?: unknown, drainMs: number = DRAIN_MS): void {
    if (entry.inFlight === 0 || drainMs <= 0) {
      this.close(entry, reason, cause);
      return;
    }
    const { clock, events, wheel } = this.#context;
    if (!entry.isUsable && entry.state !== "draining") return;
    const isNews = entry.isUsable;
    if (isNews) this.#set.move(entry, "draining");
    const endsAt = clock.now() + drainMs;
    // One that drains already may only end earlier, or `close()` would not end in time.
    if (!isNews && entry.deadlineKey !== 0 && entry.deadlineKey <= endsAt) return;
    entry.drainEnds = () => this.close(entry, reason, cause);
    wheel.set(entry, endsAt);
    if (!isNews) return;
    this.#stop(entry, reason);
    events.emit({ type: "connection-retired", connectionId: entry.id, reason });
    this.#host.onStopped(entry, reason);
  }

  /** Closes the entry now, whatever is on it. */
  close(entry: ConnectionEntry, reason: CloseReason, cause?: unknown): void {
    if (entry.state === "closing" || entry.state === "closed") return;
    const { clock, wheel } = this.#context;
    const wasUsable = entry.isUsable;
    this.#set.move(entry, "closing");
    let isClosed = false;
    const closed = () => {
      if (isClosed) return;
      isClosed = true;
      this.#closed(entry, reason, cause);
    };
    // A close that never ends gives its place up in the end, or the pool would die of it.
    entry.drainEnds = closed;
    wheel.set(entry, clock.now() + GRACE_MS);
    if (wasUsable) this.#stop(entry, reason);
    invoke(() => entry.connection.close(reason)).then(closed, closed);
    if (wasUsable) this.#host.onStopped(entry, reason);
  }

  #stop(entry: ConnectionEntry, reason: CloseReason): void {
    if (!FAILURES.has(reason)) return;
    const now = this.#context.clock.now();
    this.#context.counters.lost++;
    this.#context.server.backoff.lost(now - entry.openedAt);
    this.#failures.push(now);
    if (this.#failures.length > MAX_REMEMBERED) this.#failures.shift();
  }

  #closed(entry: ConnectionEntry, reason: CloseReason, cause: unknown): void {
    const { clock, counters, events, wheel } = this.#context;
    wheel.remove(entry);
    this.#set.move(entry, "closed");
    for (const unsubscribe of entry.unsubscribes) unsubscribe();
    entry.unsubscribes = [];
    counters.destroyed++;
    for (const attempt of [...entry.attempts]) attempt.close();
    const ageMs = clock.now() - entry.openedAt;
    this.#host.onFreed(entry);
    events.emit({ type: "connection-closed", connectionId: entry.id, reason, ageMs, uses: entry.uses, cause });
    this.#host.onClosed();
  }
}
