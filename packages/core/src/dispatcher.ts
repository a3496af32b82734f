import { Checker } from "./checker.ts";
import { coarseNow } from "./clock.ts";
import { Closer } from "./closer.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { ConnectionSet } from "./connection-set.ts";
import type { CloseReason } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { DispatcherHost } from "./dispatcher-host.ts";
import type { McpPoolError } from "./errors.ts";
import { isSilent, lendNext } from "./fast-lane.ts";
import { Growth } from "./growth.ts";
import type { LinkedList } from "./linked-list.ts";
import type { Connect } from "./plugin.ts";
import { ReadyConnections } from "./ready-connections.ts";
import { Rounds } from "./rounds.ts";
import type { InFlightLimit, LimitUser, LimitWaiter } from "./server-state.ts";
import { SideLines } from "./side-lines.ts";
import { StickyLine } from "./sticky-line.ts";
import { WaitQueue } from "./wait-queue.ts";
import type { Waiter, WaitTerms } from "./waiter.ts";

/**
 * The one place that matches waiting callers with room. Everything else changes one side and calls {@link dispatch}.
 * Room is claimed in the tick in which it is given.
 */
export class Dispatcher implements LimitWaiter, LimitUser {
  // What each lease and request looks at comes first, and so lies in one place of the memory.
  readonly set: ConnectionSet;
  readonly #context: PoolContext;
  readonly #limit: InFlightLimit;
  readonly #line: LinkedList<Waiter>;
  #isStarted = false;
  #isClosed = false;
  readonly #matching = new Rounds(() => this.#match());
  readonly closer: Closer;
  readonly checker: Checker;
  readonly queue: WaitQueue;
  readonly growth: Growth;
  readonly sides: SideLines;
  readonly #host: DispatcherHost;
  readonly ready: ReadyConnections;
  readonly sticky: StickyLine;
  #lastConnectError: McpPoolError | undefined;

  constructor(context: PoolContext, connect: Connect, host: DispatcherHost) {
    this.#context = context;
    this.#host = host;
    this.#limit = context.server.limit;
    this.queue = new WaitQueue(context, {
      expiryError: (waiter, expiry) => host.expiryError(waiter, expiry, this.#lastConnectError),
      onLeft: (waiter, error, isTimeUp) => this.#onLeft(waiter, error, isTimeUp),
      followers: () => this.sticky.unboundWaiters(),
      onFirst: () => this.set.suspend(),
    });
    this.#line = this.queue.line;
    this.set = new ConnectionSet(context, this.#limit, this.#line);
    this.settle();
    this.closer = new Closer(context, this.set, {
      onStopped: (entry, reason) => this.#onStopped(entry, reason),
      onFreed: (entry) => this.growth.onFreed(entry),
      onClosed: () => this.dispatch(),
    });
    this.checker = new Checker(context, this.set, {
      onPassed: (entry) => this.#serve(entry),
      onStillInDoubt: () => this.dispatch(),
      onDied: (entry, cause) => this.closer.close(entry, "probe-failed", cause),
    });
    this.growth = new Growth(context, connect, this, {
      onOpened: (entry, durationMs) => this.#onOpened(entry, durationMs),
      onOpenFailed: (error) => this.#onOpenFailed(error),
      dispatch: () => this.dispatch(),
      onLimited: () => context.server.limit.await(this),
      onCrowded: (missing) => this.sticky.giveUp(missing),
      admitsRefill: () => host.admit("refill") === undefined,
      fresh: () => this.sides.fresh.size,
    });
    const { set, queue, checker, closer, growth } = this;
    this.ready = new ReadyConnections(context, this, { set, checker, closer, growth });
    this.sides = new SideLines(host, {
      queue,
      growth,
      tryGrant: (waiter, entry) => {
        const isGranted = context.server.limit.take(this);
        if (isGranted) this.#grant(waiter, entry);
        return isGranted;
      },
    });
    const grant = (waiter: Waiter, entry: ConnectionEntry) => this.#grant(waiter, entry);
    this.sticky = new StickyLine(context, host, { pool: this, set, queue, ready: this.ready, checker, closer, grant });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Claims room on an open connection, if there is some and nobody waits for it. Never barges, never blocks. */
  take(): ConnectionEntry | undefined {
    return lendNext(this.#context) ?? this.#takeReady();
  }

  /** Joins the wait queue behind others, if that is all there is to do. */
  followOn<Granted>(terms: WaitTerms<Granted>): Promise<Granted> | undefined {
    if (this.#line.head === undefined || !this.growth.isResting || this.#matching.isUnderWay) return undefined;
    const { wantsQueued, options } = this.#context;
    if (wantsQueued || this.queue.size >= options.maxWaiting) return undefined;
    return this.queue.add(terms);
  }

  #takeReady(avoid?: number): ConnectionEntry | undefined {
    if (!this.#isStarted) this.start();
    if (this.#line.head !== undefined) return undefined;
    return avoid === undefined ? this.ready.take() : this.ready.takeBut(avoid);
  }

  /** The same, on the one to be avoided only if no other has room; where it is the only one, only if none can be opened. */
  takeBut(avoid: number): ConnectionEntry | undefined {
    return this.#takeReady(avoid);
  }

  /** From now on the pool is in use, and keeps its minimum. */
  start(): void {
    this.#isStarted = true;
    this.growth.isStarted = true;
  }

  /** Joins the wait queue. */
  wait<Granted>(terms: WaitTerms<Granted>): Promise<Granted> {
    const promise = this.queue.add(terms);
    // Who joins a line beside no room changes nothing for those before, except that more may be missing.
    if (this.#line.size === 1 || this.set.ready.size > 0 || this.#matching.isUnderWay) this.dispatch();
    else if (!this.growth.isResting) this.growth.grow();
    return promise;
  }

  /** Gives room back, and hands it on in the same tick. */
  release(entry: ConnectionEntry): void {
    const { head } = this.#line;
    if (head === undefined || !this.#handOver(entry, head)) this.#giveBack(entry);
  }

  /** Has claims booked that were not yet, and looks anew whether that may be put off; not while the pool closes, or the limit is exceeded. */
  settle(): void {
    const { maxUses, onRelease } = this.#context.options;
    this.set.isSimple = maxUses === Infinity && onRelease === "reuse" && !this.#limit.isBounded && !this.#isClosed;
    if (this.#limit.isBounded && this.#line.size > 0) this.#limit.await(this);
  }

  #giveBack(entry: ConnectionEntry): void {
    this.set.release(entry);
    if (entry.inFlight === 0) entry.idleSince = coarseNow(this.#context.clock);
    if (entry.state !== "ready" || entry.stickyKey !== undefined) {
      this.#afterRelease(entry);
      return;
    }
    this.#limit.give();
    if (this.#line.head !== undefined || this.set.checkingRoom > 0) this.#serve(entry);
  }

  /** What follows the release of a connection that not just anybody may have. */
  #afterRelease(entry: ConnectionEntry): void {
    if (entry.inFlight === 0) {
      if (entry.state === "draining") entry.drainEnds?.();
      else if (entry.state === "checking") this.checker.check(entry);
    }
    if (entry.stickyKey !== undefined) this.sticky.onReleased(entry);
    this.#limit.give();
    if (entry.state === "ready") this.#serve(entry);
  }

  /** Gives a unit of a full connection to the caller who waits for longest. What is not that simple is left to {@link dispatch}. */
  #handOver(entry: ConnectionEntry, waiter: Waiter): boolean {
    const { queue } = this;
    if (entry.state !== "busy" || entry.inFlight > entry.room || entry.stickyKey !== undefined) return false;
    if (waiter.terms.stickyKey !== undefined || queue.hasOthers) return false;
    if (this.#matching.isUnderWay || this.#limit.isAwaited) return false;
    const { maxUses } = this.#context.options;
    if (entry.inFlight === 1 && isSilent(entry, this.#context)) return false;
    if (this.#host.admit(waiter.terms.asker) !== undefined) return false;
    // A plugin may have made the caller leave meanwhile, or have taken the connection out of use.
    if (queue.head !== waiter || entry.state !== "busy") return false;
    this.#context.misses++;
    entry.uses++;
    queue.grant(waiter, entry);
    if (entry.uses >= maxUses) this.closer.retire(entry, "max-uses");
    if (!this.growth.isResting || this.#line.size === 0) this.growth.grow();
    return true;
  }

  /** Matches callers with room until one side runs out, then opens what is missing. A call from within makes it go round again. */
  dispatch(): void {
    this.#matching.run();
  }

  #match(): void {
    if (this.#isClosed) {
      if (this.set.size === 0 && this.growth.connecting === 0) this.#host.onEmpty();
      return;
    }
    this.sticky.serveHeld();
    this.sides.sort();
    const { queue } = this;
    for (let waiter = queue.head; waiter !== undefined; waiter = queue.head) {
      const refusal = this.#host.admit(waiter.terms.asker);
      if (refusal !== undefined) {
        queue.reject(waiter, refusal);
        continue;
      }
      const entry = this.ready.next(queue.length);
      // A plugin or a connector may have made the caller leave meanwhile.
      if (queue.head !== waiter) continue;
      if (entry === undefined || !this.#limit.take(this)) break;
      this.#grant(waiter, entry);
    }
    this.growth.grow();
  }

  /** Rejects all callers and takes every connection out of use. */
  close(drainMs: number): void {
    this.#isClosed = true;
    this.settle();
    this.sticky.close();
    this.#limit.leave(this);
    const error = this.#host.closedError();
    for (let waiter = this.queue.head; waiter !== undefined; waiter = this.queue.head) this.queue.reject(waiter, error);
    for (const waiter of [...this.sticky.waiters()]) this.queue.reject(waiter, error);
    this.sides.rejectAll(error);
    for (const entry of [...this.set]) this.closer.retire(entry, "pool-closed", undefined, drainMs);
    this.growth.close();
    this.#limit.part(this);
    this.dispatch();
  }

  #grant(waiter: Waiter, entry: ConnectionEntry): void {
    this.set.claim(entry);
    this.#context.misses++;
    const key = waiter.terms.stickyKey;
    if (key !== undefined) this.sticky.onGranted(key, entry);
    this.queue.grant(waiter, entry);
    if (entry.uses >= this.#context.options.maxUses) this.closer.retire(entry, "max-uses");
  }

  /** A connection has room again: first for those who wait for just this one, then for all. */
  #serve(entry: ConnectionEntry): void {
    if (entry.stickyKey !== undefined) this.sticky.serve(entry);
    if (this.#line.size > 0 || this.set.checkingRoom > 0) this.dispatch();
  }

  #onOpened(entry: ConnectionEntry, durationMs: number): void {
    this.#lastConnectError = undefined;
    this.#host.onOpened(entry, durationMs);
    this.sides.serveFresh(entry);
    this.dispatch();
  }

  /** A failed connect fails the caller who waits for longest; the others wait for the next one. */
  #onOpenFailed(error: McpPoolError): void {
    this.#lastConnectError = error;
    const waiter = this.queue.head ?? this.sides.fresh.head;
    if (waiter !== undefined) this.queue.reject(waiter, error);
    this.#host.onOpenFailed(error);
  }

  #onLeft(waiter: Waiter, error: unknown, isTimeUp: boolean): void {
    this.sticky.onLeft(waiter);
    this.#host.onLeft(waiter, error);
    if (this.#isClosed) return;
    // A connect that outlasts its caller goes on, or one that always does would neither succeed nor count as failed.
    if (!isTimeUp) this.growth.cancelUnneeded();
    this.growth.grow();
  }

  #onStopped(entry: ConnectionEntry, reason: CloseReason): void {
    entry.cancelProbe?.();
    this.sticky.onStopped(entry, reason);
    this.#host.onStopped(entry);
    for (const attempt of [...entry.attempts]) attempt.onStopped();
    this.dispatch();
  }
}
