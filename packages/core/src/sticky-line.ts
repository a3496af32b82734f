import type { Checker } from "./checker.ts";
import type { Closer } from "./closer.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionSet } from "./connection-set.ts";
import type { CloseReason } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { DispatcherHost } from "./dispatcher-host.ts";
import { LateSet } from "./late-collections.ts";
import type { ReadyConnections } from "./ready-connections.ts";
import type { LimitWaiter } from "./server-state.ts";
import { StickyKeys } from "./sticky-keys.ts";
import type { WaitQueue } from "./wait-queue.ts";
import type { Waiter, WaitTerms } from "./waiter.ts";

/** The parts of a pool that its sticky keys touch. */
export interface StickyLineParts {
  readonly pool: LimitWaiter & {
    take(): ConnectionEntry | undefined;
    wait<Granted>(terms: WaitTerms<Granted>): Promise<Granted>;
  };
  readonly set: ConnectionSet;
  readonly queue: WaitQueue;
  readonly ready: ReadyConnections;
  readonly checker: Checker;
  readonly closer: Closer;
  grant(waiter: Waiter, entry: ConnectionEntry): void;
}

type StickyLineHost = Pick<DispatcherHost, "admit" | "sessionLostError">;

/** Lends connections that keep the state of a sticky key to those who ask with the key, one after the other. */
export class StickyLine {
  readonly #context: PoolContext;
  readonly #host: StickyLineHost;
  readonly #parts: StickyLineParts;
  readonly #keys = new StickyKeys();
  /** Idle connections whose callers the server's in-flight limit holds up. */
  readonly #held = new LateSet<ConnectionEntry>();

  /** @param host says whom plugins refuse, and what those are told whose state is lost */
  constructor(context: PoolContext, host: StickyLineHost, parts: StickyLineParts) {
    this.#context = context;
    this.#host = host;
    this.#parts = parts;
  }

  /**
   * Claims the connection of a key, or waits in line for it.
   * @param refuseIfFull throws when nobody may join the queue
   */
  take<Granted>(key: string, terms: WaitTerms<Granted>, refuseIfFull: () => void): ConnectionEntry | Promise<Granted> {
    if (this.#keys.takeLost(key)) throw this.#host.sessionLostError(key);
    const binding = this.#keys.get(key);
    if (binding === undefined) {
      const entry = this.#parts.pool.take();
      if (entry?.isUsable) this.#keys.bind(key, entry);
      if (entry !== undefined) return entry;
      refuseIfFull();
      this.#keys.reserve(key);
      return this.#parts.pool.wait(terms);
    }
    const { entry } = binding;
    if (entry?.state === "ready") {
      if (this.#context.clock.now() - entry.idleSince > this.#context.options.maxIdleTimeMs) {
        this.#parts.closer.close(entry, "idle");
        return this.take(key, terms, refuseIfFull);
      }
      if (this.#parts.ready.isQuiet(entry)) this.#parts.checker.check(entry);
      else if (this.#context.server.limit.take(this.#parts.pool)) {
        this.#parts.ready.lend(entry);
        return entry;
      } else this.#hold(entry);
    }
    refuseIfFull();
    return this.#parts.queue.add(terms, binding.waiters, entry && "saturated");
  }

  /** Takes note that a caller with a key got a connection. */
  onGranted(key: string, entry: ConnectionEntry): void {
    this.#parts.queue.saturate(this.#keys.bind(key, entry).waiters);
  }

  /** Puts those who wait for this very connection in line for the unit of the server's limit that it is about to give back. */
  onReleased(entry: ConnectionEntry): void {
    if (this.#follower(entry) !== undefined) this.#hold(entry);
  }

  /** Serves those who wait for just this connection. */
  serve(entry: ConnectionEntry): void {
    this.#held.delete(entry);
    for (let waiter = this.#follower(entry); waiter !== undefined; waiter = this.#follower(entry)) {
      const refusal = this.#host.admit(waiter.terms.asker);
      if (refusal !== undefined) this.#parts.queue.reject(waiter, refusal);
      else if (this.#context.server.limit.take(this.#parts.pool)) this.#parts.grant(waiter, entry);
      else return void this.#held.add(entry);
    }
  }

  /** Serves those whom the server's limit has held up. */
  serveHeld(): void {
    if (this.#held.size === 0) return;
    for (const entry of [...this.#held]) this.serve(entry);
  }

  /** Gives up the keys that were used least recently; their connections hold their state, so nobody else gets those. */
  giveUp(count: number): void {
    if (this.#parts.set.bound.size === 0) return;
    const idle = [...this.#parts.set.bound].filter((entry) => !this.#held.has(entry));
    for (const entry of idle.slice(0, Math.max(count, 0))) this.#parts.closer.close(entry, "evicted");
  }

  close(): void {
    this.#context.server.limit.leave(this.#parts.pool);
  }

  /** A caller with a key has left: another one takes its turn for all who share the key. */
  onLeft({ terms: { stickyKey }, isFollower }: Waiter): void {
    const binding = stickyKey === undefined || isFollower ? undefined : this.#keys.get(stickyKey);
    if (binding === undefined || binding.entry !== undefined) return;
    const heir = binding.waiters.head;
    if (heir === undefined) this.#keys.unbind(binding.key);
    else this.#parts.queue.requeue(heir);
  }

  /** The entry serves nobody from now on. Who relies on the state behind its key learns of it now, or at the next acquire. */
  onStopped(entry: ConnectionEntry, reason: CloseReason): void {
    this.#held.delete(entry);
    const { stickyKey, id: connectionId } = entry;
    if (stickyKey === undefined) return;
    const { events } = this.#context;
    const waiters = [...(this.#keys.unbind(stickyKey)?.waiters ?? [])];
    if (reason === "idle" || reason === "discarded" || reason === "evicted" || reason === "pool-closed") {
      if (reason === "evicted") events.emit({ type: "sticky-key-evicted", connectionId, stickyKey });
      // A listener may have made some of them leave.
      const left = waiters.filter(({ list }) => list !== undefined);
      this.#startAnew(stickyKey, left);
      return;
    }
    events.emit({ type: "sticky-key-lost", connectionId, stickyKey });
    if (waiters.length === 0) this.#keys.markLost(stickyKey);
    for (const waiter of waiters) this.#parts.queue.reject(waiter, this.#host.sessionLostError(stickyKey));
  }

  /** All callers that wait for a connection of their own key. */
  waiters(): Iterable<Waiter> {
    return this.#keys.waiters();
  }

  /** Those of them whose connection is still awaited by the first caller of their key. */
  unboundWaiters(): Iterable<Waiter> {
    return this.#keys.unboundWaiters();
  }

  /** The state was given up on purpose: those who wait share the next connection. */
  #startAnew(stickyKey: string, [leader, ...followers]: readonly Waiter[]): void {
    if (leader === undefined) return;
    const binding = this.#keys.reserve(stickyKey);
    this.#parts.queue.requeue(leader);
    for (const follower of followers) binding.waiters.pushBack(follower);
  }

  /** Returns the first of those who wait for just this connection, if it is idle. */
  #follower({ stickyKey, state }: ConnectionEntry): Waiter | undefined {
    if (stickyKey === undefined || state !== "ready") return undefined;
    return this.#keys.get(stickyKey)?.waiters.head;
  }

  #hold(entry: ConnectionEntry): void {
    this.#held.add(entry);
    this.#context.server.limit.await(this.#parts.pool);
  }
}
