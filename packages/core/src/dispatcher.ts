import { Checker } from "./checker.ts";
import { Closer } from "./closer.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { ConnectionSet } from "./connection-set.ts";
import type { CloseReason } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { McpPoolError } from "./errors.ts";
import { Growth } from "./growth.ts";
import { LinkedList } from "./linked-list.ts";
import type { Admission, Connect } from "./plugin.ts";
import type { LimitWaiter } from "./server-state.ts";
import { StickyKeys } from "./sticky-keys.ts";
import { type Expiry, type Waiter, WaitQueue, type WaitTerms } from "./wait-queue.ts";

/** An idle connection that was quiet for longer than this is probed before it is lent, in milliseconds. */
const QUIET_MS = 500;

/** What a dispatcher asks of, and tells, its pool. */
export interface DispatcherHost {
  /** Returns why nothing may be acquired now. */
  admit(asker: Admission): McpPoolError | undefined;
  expiryError(waiter: Waiter, expiry: Expiry, lastConnectError: McpPoolError | undefined): unknown;
  sessionLostError(stickyKey: string): McpPoolError;
  closedError(): McpPoolError;
  /** A caller has left the queue without a connection. */
  onLeft(waiter: Waiter, error: unknown): void;
  onOpened(entry: ConnectionEntry, durationMs: number): void;
  onOpenFailed(error: McpPoolError): void;
  /** The entry serves nobody from now on. */
  onStopped(entry: ConnectionEntry): void;
  /** Nothing is left of a closed pool. */
  onEmpty(): void;
}

/**
 * The one place that matches waiting callers with room. Everything else changes one side and calls {@link dispatch}.
 * Room is claimed in the tick in which it is given.
 */
export class Dispatcher implements LimitWaiter {
  readonly set: ConnectionSet = new ConnectionSet();
  readonly queue: WaitQueue;
  readonly closer: Closer;
  readonly checker: Checker;
  readonly growth: Growth;
  /** Callers that wait for something else than the next room. */
  readonly sideLists: Set<LinkedList<Waiter>> = new Set();
  /** Callers that wait for a connection that is opened from now on. */
  readonly #fresh = new LinkedList<Waiter>();
  readonly #context: PoolContext;
  readonly #host: DispatcherHost;
  readonly #keys = new StickyKeys();
  /** Idle connections whose callers the server's in-flight limit holds up. */
  readonly #held = new Set<ConnectionEntry>();
  #lastConnectError: McpPoolError | undefined;
  #isClosed = false;

  constructor(context: PoolContext, connect: Connect, host: DispatcherHost) {
    this.#context = context;
    this.#host = host;
    this.sideLists.add(this.#fresh);
    this.queue = new WaitQueue(context, {
      expiryError: (waiter, expiry) => host.expiryError(waiter, expiry, this.#lastConnectError),
      onLeft: (waiter, error, isTimeUp) => this.#onLeft(waiter, error, isTimeUp),
      followers: () => this.#keys.unboundWaiters(),
    });
    this.closer = new Closer(context, this.set, {
      onStopped: (entry, reason) => this.#onStopped(entry, reason),
      onClosed: (entry) => this.growth.onPlaceFreed(entry),
    });
    this.checker = new Checker(context, this.set, {
      onPassed: (entry) => this.#serve(entry),
      onDied: (entry, cause) => this.closer.close(entry, "probe-failed", cause),
    });
    this.growth = new Growth(context, connect, this, {
      onOpened: (entry, durationMs) => this.#onOpened(entry, durationMs),
      onOpenFailed: (error) => this.#onOpenFailed(error),
      dispatch: () => this.dispatch(),
      onLimited: () => context.server.limit.await(this),
      onCrowded: () => this.#giveUpKey(),
      admitsRefill: () => host.admit("refill") === undefined,
      fresh: () => this.#fresh.size,
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Claims room on an open connection, if there is some and nobody waits for it. Never barges, never blocks.
   * @param avoid a connection that is taken only if there is no other and none can be opened
   */
  take(now: number, avoid?: number): ConnectionEntry | undefined {
    this.growth.start();
    if (this.queue.length > 0) return undefined;
    const entry = avoid === undefined ? this.#lendable(1, now) : this.#lendableBut(avoid, now);
    if (entry === undefined || !this.#context.server.limit.take(this)) return undefined;
    this.#claim(entry);
    this.#context.counters.hits++;
    if (this.set.relaxed === 0 && entry.room > 1) this.growth.openSpare();
    this.#wearOut(entry);
    return entry;
  }

  /** Claims the connection of a sticky key, or waits in line for it. */
  takeSticky(
    key: string,
    terms: WaitTerms,
    now: number,
    refuseIfFull: () => void,
  ): ConnectionEntry | Promise<ConnectionEntry> {
    if (this.#keys.takeLost(key)) throw this.#host.sessionLostError(key);
    const { options, server, counters } = this.#context;
    const binding = this.#keys.get(key);
    if (binding === undefined) {
      const entry = this.take(now);
      if (entry?.isUsable) this.#keys.bind(key, entry);
      if (entry !== undefined) return entry;
      refuseIfFull();
      this.#keys.reserve(key);
      return this.wait(terms);
    }
    const { entry } = binding;
    if (entry?.state === "ready" && now - entry.idleSince > options.maxIdleTimeMs) {
      this.closer.close(entry, "idle");
      return this.takeSticky(key, terms, now, refuseIfFull);
    }
    if (entry?.state === "ready") {
      if (options.validateOnAcquire && now - entry.lastAliveAt > QUIET_MS) this.checker.check(entry);
      else if (server.limit.take(this)) {
        this.#claim(entry);
        counters.hits++;
        this.#wearOut(entry);
        return entry;
      } else this.#hold(entry);
    }
    refuseIfFull();
    return this.queue.add(terms, binding.waiters, entry && "saturated");
  }

  /** Whether those who avoid a connection had better wait for a new one: there is no other, or none is wanted. */
  needsFresh(avoid: number | undefined): boolean {
    if (!this.growth.canOpen) return false;
    if (avoid === undefined) return true;
    for (const { id, isUsable } of this.set) if (isUsable && id !== avoid) return false;
    return this.set.usable > 0;
  }

  /** Waits for a connection that is opened from now on; for any, once the limits allow no new one. */
  waitFresh(terms: WaitTerms): Promise<ConnectionEntry> {
    const promise = this.queue.add(terms, this.#fresh, "opening");
    this.growth.grow();
    return promise;
  }

  /** Joins the wait queue. */
  wait(terms: WaitTerms): Promise<ConnectionEntry> {
    const promise = this.queue.add(terms);
    this.dispatch();
    return promise;
  }

  /** Gives room back, and hands it on in the same tick. */
  release(entry: ConnectionEntry): void {
    this.set.release(entry);
    this.#context.counters.returned++;
    if (entry.inFlight === 0) {
      entry.idleSince = this.#context.clock.now();
      if (entry.state === "draining") entry.drainEnds?.();
      else if (entry.state === "checking") this.checker.check(entry);
    }
    // Those who wait for this very connection are in line before its unit of the server's limit is handed on.
    if (this.#follower(entry) !== undefined) this.#hold(entry);
    this.#context.server.limit.give();
    if (entry.state === "ready") this.#serve(entry);
  }

  /** Matches callers with room until one side runs out, then opens what is missing. */
  dispatch(): void {
    if (this.#isClosed) {
      if (this.set.size === 0 && this.growth.connecting === 0) this.#host.onEmpty();
      return;
    }
    for (const entry of [...this.#held]) this.#serveKey(entry);
    this.#sortSides();
    const { queue } = this;
    for (let waiter = queue.head; waiter !== undefined; waiter = queue.head) {
      const refusal = this.#host.admit(waiter.terms.asker);
      if (refusal !== undefined) {
        queue.reject(waiter, refusal);
        continue;
      }
      const entry = this.#lendable(queue.length, this.#context.clock.now());
      if (entry === undefined || !this.#context.server.limit.take(this)) break;
      this.#grant(waiter, entry);
    }
    this.growth.grow();
  }

  /** Takes a connection out of use; does nothing when it is gone. */
  retire(id: number, reason: CloseReason): void {
    const entry = [...this.set].find((each) => each.id === id);
    if (entry !== undefined) this.closer.retire(entry, reason);
  }

  /** Rejects all callers and takes every connection out of use. */
  close(drainMs: number): void {
    this.#isClosed = true;
    this.#context.server.limit.leave(this);
    const error = this.#host.closedError();
    for (let waiter = this.queue.head; waiter !== undefined; waiter = this.queue.head) this.queue.reject(waiter, error);
    for (const waiter of [...this.#keys.waiters()]) this.queue.reject(waiter, error);
    for (const waiter of this.#sideWaiters()) this.queue.reject(waiter, error);
    for (const entry of [...this.set]) this.closer.retire(entry, "pool-closed", undefined, drainMs);
    this.growth.close();
    this.dispatch();
  }

  #claim(entry: ConnectionEntry): void {
    this.set.claim(entry);
    this.#context.counters.borrowed++;
  }

  #grant(waiter: Waiter, entry: ConnectionEntry): void {
    this.#claim(entry);
    this.#context.counters.misses++;
    const key = waiter.terms.stickyKey;
    if (key !== undefined) this.queue.saturate(this.#keys.bind(key, entry).waiters);
    this.queue.grant(waiter, entry);
    this.#wearOut(entry);
  }

  /** The use that reaches `maxUses` is the last. */
  #wearOut(entry: ConnectionEntry): void {
    if (entry.uses >= this.#context.options.maxUses) this.closer.retire(entry, "max-uses");
  }

  /** Returns a connection that may be lent now. Idle ones that were quiet for long are probed first, as many as are needed. */
  #lendable(callers: number, now: number): ConnectionEntry | undefined {
    const { ready } = this.set;
    if (!this.#context.options.validateOnAcquire) return ready.head;
    for (let entry = ready.head; entry !== undefined; entry = ready.head) {
      if (entry.inFlight > 0 || now - entry.lastAliveAt <= QUIET_MS) return entry;
      if (this.checker.room >= callers) return undefined;
      this.checker.check(entry);
    }
    return undefined;
  }

  /** Returns a connection other than one that is to be avoided; that one, if there is no other and none can be opened. */
  #lendableBut(avoid: number, now: number): ConnectionEntry | undefined {
    const { validateOnAcquire } = this.#context.options;
    for (let entry = this.set.ready.head; entry !== undefined; entry = entry.next) {
      const isSound = !validateOnAcquire || entry.inFlight > 0 || now - entry.lastAliveAt <= QUIET_MS;
      if (entry.id !== avoid && isSound) return entry;
    }
    return this.needsFresh(avoid) ? undefined : this.#lendable(1, now);
  }

  #sideWaiters(): readonly Waiter[] {
    return [...this.sideLists].flatMap((list) => [...list]);
  }

  /** Refuses those in the side lines whom plugins refuse; who waits for a new connection joins the others if none can come. */
  #sortSides(): void {
    for (const list of this.sideLists) {
      for (const waiter of list) {
        const refusal = this.#host.admit(waiter.terms.asker);
        if (refusal !== undefined) this.queue.reject(waiter, refusal);
      }
    }
    if (this.#fresh.size === 0 || this.growth.isOpening || this.growth.canOpen) return;
    for (const waiter of [...this.#fresh]) this.queue.requeue(waiter);
  }

  /** A new connection serves those first who waited for just that. */
  #serveFresh(entry: ConnectionEntry): void {
    for (let waiter = this.#fresh.head; waiter !== undefined; waiter = this.#fresh.head) {
      if (entry.state !== "ready") return;
      const refusal = this.#host.admit(waiter.terms.asker);
      if (refusal !== undefined) this.queue.reject(waiter, refusal);
      else if (this.#context.server.limit.take(this)) this.#grant(waiter, entry);
      else this.queue.requeue(waiter);
    }
  }

  /** A connection has room again: first for those who wait for just this one, then for all. */
  #serve(entry: ConnectionEntry): void {
    if (entry.stickyKey !== undefined) this.#serveKey(entry);
    if (this.queue.length > 0 || this.checker.room > 0) this.dispatch();
  }

  #serveKey(entry: ConnectionEntry): void {
    this.#held.delete(entry);
    for (let waiter = this.#follower(entry); waiter !== undefined; waiter = this.#follower(entry)) {
      const refusal = this.#host.admit(waiter.terms.asker);
      if (refusal !== undefined) this.queue.reject(waiter, refusal);
      else if (this.#context.server.limit.take(this)) this.#grant(waiter, entry);
      else return void this.#held.add(entry);
    }
  }

  /** Returns the first of those who wait for just this connection, if it is idle. */
  #follower({ stickyKey, state }: ConnectionEntry): Waiter | undefined {
    if (stickyKey === undefined || state !== "ready") return undefined;
    return this.#keys.get(stickyKey)?.waiters.head;
  }

  #hold(entry: ConnectionEntry): void {
    this.#held.add(entry);
    this.#context.server.limit.await(this);
  }

  /** Gives up the key that was used least recently; its connection holds that key's state, so nobody else gets it. */
  #giveUpKey(): void {
    let entry = this.set.bound.head;
    while (entry !== undefined && this.#held.has(entry)) entry = entry.next;
    if (entry === undefined || this.set.closing.size > 0) return;
    this.closer.close(entry, "evicted");
  }

  #onOpened(entry: ConnectionEntry, durationMs: number): void {
    this.#lastConnectError = undefined;
    this.#host.onOpened(entry, durationMs);
    this.#serveFresh(entry);
    this.dispatch();
  }

  /** A failed connect fails the caller who waits for longest; the others wait for the next one. */
  #onOpenFailed(error: McpPoolError): void {
    this.#lastConnectError = error;
    const waiter = this.queue.head ?? this.#fresh.head;
    if (waiter !== undefined) this.queue.reject(waiter, error);
    this.#host.onOpenFailed(error);
  }

  #onLeft(waiter: Waiter, error: unknown, isTimeUp: boolean): void {
    const key = waiter.terms.stickyKey;
    const binding = key === undefined || waiter.isFollower ? undefined : this.#keys.get(key);
    if (binding !== undefined && binding.entry === undefined) {
      const heir = binding.waiters.head;
      if (heir === undefined) this.#keys.unbind(binding.key);
      else this.queue.requeue(heir);
    }
    this.#host.onLeft(waiter, error);
    if (this.#isClosed) return;
    // A connect that outlasts its caller goes on, or one that always does would neither succeed nor count as failed.
    if (!isTimeUp) this.growth.cancelUnneeded();
    this.growth.grow();
  }

  #onStopped(entry: ConnectionEntry, reason: CloseReason): void {
    this.#held.delete(entry);
    entry.cancelProbe?.();
    if (entry.stickyKey !== undefined) this.#loseKey(entry, entry.stickyKey, reason);
    this.#host.onStopped(entry);
    this.dispatch();
  }

  /** Tells those who rely on the state behind a key that it is gone: who waits now, or who asks next. */
  #loseKey(entry: ConnectionEntry, stickyKey: string, reason: CloseReason): void {
    const waiters = [...(this.#keys.unbind(stickyKey)?.waiters ?? [])];
    if (reason === "idle" || reason === "discarded" || reason === "evicted" || reason === "pool-closed") {
      if (reason === "evicted") {
        this.#context.events.emit({ type: "sticky-key-evicted", connectionId: entry.id, stickyKey });
      }
      this.#startKeyAnew(stickyKey, waiters);
      return;
    }
    this.#context.events.emit({ type: "sticky-key-lost", connectionId: entry.id, stickyKey });
    if (waiters.length === 0) this.#keys.markLost(stickyKey);
    for (const waiter of waiters) this.queue.reject(waiter, this.#host.sessionLostError(stickyKey));
  }

  /** The state was given up on purpose: those who wait share the next connection. */
  #startKeyAnew(stickyKey: string, [leader, ...followers]: readonly Waiter[]): void {
    if (leader === undefined) return;
    const binding = this.#keys.reserve(stickyKey);
    this.queue.requeue(leader);
    for (const follower of followers) binding.waiters.pushBack(follower);
  }
}
