import type { CapacityClaimant } from "./capacity.ts";
import { ConnectionEntry } from "./connection-entry.ts";
import type { ConnectionSet } from "./connection-set.ts";
import type { PoolContext } from "./context.ts";
import { Timeout } from "./deadline-wheel.ts";
import { CircuitBreakerOpenError, type McpPoolError } from "./errors.ts";
import type { GrowthHost, GrowthParts } from "./growth-host.ts";
import { closingSoon, type Opened, Opener } from "./opener.ts";
import type { Connect } from "./plugin.ts";

/** How long nothing is opened for the minimum after a breaker has refused without saying for how long, in milliseconds. */
const REFUSED_MS = 1_000;

/**
 * Decides when another connection is opened: when callers wait for more room than is coming, when the minimum is not
 * met, or beside a loaded pool; as far as the pool's maximum, the global cap and the back-off allow.
 */
export class Growth implements CapacityClaimant {
  priority = 0;
  readonly #set: ConnectionSet;
  readonly #limit: PoolContext["server"]["limit"];
  /** How often connections had changed lists when growth last came to rest; -1 while it is at work. */
  #restedAt = -1;
  readonly #context: PoolContext;
  readonly #parts: GrowthParts;
  readonly #host: GrowthHost;
  readonly #opener: Opener;
  readonly #retry: Timeout;
  /** Whether the pool is in use, and keeps its minimum. */
  isStarted = false;
  #isClosed = false;
  /** Clock time in milliseconds until which a breaker refuses connects, as far as it said. */
  #refusedUntil = 0;
  /** A unit of the global cap has been handed over, and is not used yet. */
  #hasUnit = false;
  /** Connections of earlier generations; they count toward the global cap only. */
  #outdated = 0;
  #suggestedRoom: number | undefined;
  /** Until when connects wait, as it was told last. */
  #pausedUntil = 0;

  constructor(context: PoolContext, connect: Connect, parts: GrowthParts, host: GrowthHost) {
    this.#set = parts.set;
    this.#limit = context.server.limit;
    this.#context = context;
    this.#parts = parts;
    this.#host = host;
    this.#retry = new Timeout(() => host.dispatch());
    this.#opener = new Opener(context, connect, {
      onOpened: (opened) => this.#onOpened(opened),
      onOpenFailed: (error) => this.#onOpenFailed(error),
      onPlaceFreed: () => {
        context.capacity?.give();
        host.dispatch();
      },
    });
  }

  /** Connections that are being opened; given-up ones hold their places too. */
  get connecting(): number {
    return this.#opener.total;
  }

  get isOpening(): boolean {
    return this.#opener.running > 0;
  }

  /** Places in the pool's maximum that are taken. */
  get size(): number {
    return this.#set.size - this.#outdated + this.#opener.size;
  }

  /** Whether the pool's own limits allow one more connection. */
  get canOpen(): boolean {
    return !this.#isClosed && this.size < this.#context.options.maxConnections;
  }

  /** Requests one connection is expected to carry; unknown before the first if nobody says. */
  get roomPerConnection(): number | undefined {
    const { options, connector } = this.#context;
    if (options.sharing === "exclusive") return 1;
    return options.maxRequestsPerConnection ?? this.#suggestedRoom ?? connector.suggestedConcurrency;
  }

  get idleSince(): number | undefined {
    return this.#set.longestIdle?.idleSince;
  }

  get surplus(): number {
    return this.#set.usable - Math.max(this.#context.options.minConnections, 1);
  }

  get closing(): number {
    return this.#closingSoon + this.#opener.closingSoon;
  }

  get #closingSoon(): number {
    return closingSoon(this.#set.closing, this.#context.clock.now());
  }

  get draining(): number {
    return this.#set.draining.size;
  }

  /** Whether nothing has changed since growth came to rest, which callers who come and go don't disturb. */
  get isResting(): boolean {
    return this.#restedAt === this.#set.moves && !this.#limit.isBounded;
  }

  /** Opens what is missing. Called whenever callers, room or places have changed. */
  grow(): void {
    if (this.#isClosed) return;
    const { server, clock, wheel, options, capacity } = this.#context;
    this.#restedAt = this.#isAtRest ? this.#set.moves : -1;
    if (this.#restedAt >= 0) {
      if (this.#parts.queue.length === 0) capacity?.withdraw(this);
      return;
    }
    const forCallers = this.#forCallers();
    const forMinimum = this.#forMinimum();
    if (this.#parts.queue.length > server.limit.free) this.#host.onLimited();
    let isBackingOff = false;
    while (this.#opener.running < Math.max(forCallers, forMinimum) && this.size < options.maxConnections) {
      const isForCallers = this.#opener.running < forCallers;
      isBackingOff = server.backoff.notBefore > clock.now();
      if (isBackingOff || (server.backoff.isFailing && this.#opener.running > 0)) break;
      if (!this.#claimUnit(!isForCallers)) break;
      this.#opener.start(isForCallers);
    }
    const isWaitingToRetry = isBackingOff && forCallers > 0;
    if (isWaitingToRetry) this.#pause(server.backoff.notBefore);
    else wheel.remove(this.#retry);
    if (isBackingOff || forCallers <= this.#opener.running) capacity?.withdraw(this);
    const crowded = forCallers - this.#opener.running - this.#closingSoon;
    if (crowded > 0 && this.size >= options.maxConnections) this.#host.onCrowded(crowded);
    const isOpening = isWaitingToRetry || this.#opener.running > 0 || this.#parts.checker.room > 0;
    this.#parts.queue.setMode(isOpening ? "opening" : "saturated");
  }

  /** Opens one more connection in the background, since every ready one is above its target load. */
  openSpare(): void {
    if (this.#host.admitsRefill()) this.openOne();
  }

  /** Opens one connection more than what is missing. Returns whether one is being opened now. */
  openOne(): boolean {
    const { server, clock } = this.#context;
    if (this.#opener.running > 0) return true;
    if (!this.canOpen || server.backoff.notBefore > clock.now()) return false;
    if (this.#context.capacity?.take(this, true) === false) return false;
    this.#opener.start(false);
    return true;
  }

  /** Gives up openings that no caller needs any more. */
  cancelUnneeded(): void {
    const surplus = this.#opener.running - Math.max(this.#forCallers(), this.#forMinimum());
    if (surplus > 0) this.#opener.cancel(surplus);
  }

  /** Starts a new generation: what is being opened is given up, what is open drains. */
  renew(): void {
    this.#suggestedRoom = undefined;
    this.#refusedUntil = 0;
    this.#context.server.backoff.reset(this.#context.connector.connectBackoff);
    this.#opener.renew();
    this.#outdated = this.#set.size;
    for (const entry of [...this.#set]) this.#parts.closer.retire(entry, "reconfigured");
  }

  /** Fits the open connections to new limits. What is too much goes, the least recently used first; what is at work drains. */
  fit(): void {
    this.#restedAt = -1;
    const { set, closer } = this.#parts;
    for (const entry of [...set]) set.resize(entry, this.roomPerConnection ?? entry.room);
    const excess = set.usable + this.#opener.running - this.#context.options.maxConnections;
    const surplus = excess - this.#opener.cancel(excess, true);
    const entries = [...[...set.ready].reverse(), ...set.bound, ...set.busy];
    for (const entry of entries.slice(0, Math.max(surplus, 0))) closer.retire(entry, "reconfigured");
  }

  close(): void {
    this.#isClosed = true;
    this.#context.wheel.remove(this.#retry);
    this.#opener.cancelAll("the pool was closed", true);
    this.#context.capacity?.withdraw(this);
  }

  evictIdle(): boolean {
    return this.#evict(this.#set.longestIdle);
  }

  retireSurplus(): boolean {
    const { ready, busy } = this.#set;
    return this.#evict(ready.tail ?? busy.head);
  }

  onCapacity(): void {
    this.#hasUnit = true;
    this.grow();
    if (!this.#hasUnit) return;
    this.#hasUnit = false;
    this.#context.capacity?.give();
  }

  /** Takes note that an entry is closed. */
  onFreed(entry: ConnectionEntry): void {
    if (entry.generation !== this.#opener.generation) this.#outdated--;
    this.#context.capacity?.give();
  }

  /** A breaker that refuses the connect says when to ask again; callers ask again by themselves. */
  #onOpenFailed(error: McpPoolError): void {
    if (error.code === "CIRCUIT_OPEN") {
      const retryAfterMs = error instanceof CircuitBreakerOpenError ? error.retryAfterMs : undefined;
      this.#refusedUntil = this.#context.clock.now() + (retryAfterMs || REFUSED_MS);
    }
    this.#host.onOpenFailed(error);
  }

  /** Takes the unit that was handed over, or asks for one. */
  #claimUnit(isForMinimum: boolean): boolean {
    if (!this.#hasUnit) return this.#context.capacity?.take(this, isForMinimum) ?? true;
    this.#hasUnit = false;
    return true;
  }

  #onOpened({ id, connection, generation, durationMs, router }: Opened): void {
    this.#suggestedRoom = connection.suggestedConcurrency;
    const room = Math.max(this.roomPerConnection ?? 1, 1);
    const entry = new ConnectionEntry(id, connection, room, generation, this.#context.clock.now());
    entry.announced = router.kinds;
    router.entry = entry;
    this.#set.add(entry);
    this.#host.onOpened(entry, durationMs);
  }

  /** Whether the pool is full, and nothing is under way that callers who come and go could change. */
  get #isAtRest(): boolean {
    const { set, queue, checker } = this.#parts;
    const { options, server } = this.#context;
    if (queue.mode === "opening" || this.#retry.deadlineKey !== 0 || server.limit.max !== Infinity) return false;
    const underWay = this.#opener.total + checker.room + set.bound.size + set.closing.size;
    return underWay === 0 && this.size >= options.maxConnections;
  }

  /** How many connections should be opening now for callers without room in sight. */
  #forCallers(): number {
    const { set, queue, checker } = this.#parts;
    const callers = Math.min(queue.length, this.#context.server.limit.free);
    const missing = Math.max(callers - set.freeRoom - checker.room, 0) + this.#host.fresh();
    return missing === 0 ? 0 : Math.max(Math.ceil(missing / (this.roomPerConnection ?? Infinity)), 1);
  }

  /** How many connections should be opening now for the minimum. */
  #forMinimum(): number {
    const missing = (this.isStarted ? this.#context.options.minConnections : 0) - this.#set.usable;
    if (missing <= 0) return 0;
    const isRefused = this.#refusedUntil > this.#context.clock.now() || !this.#host.admitsRefill();
    return isRefused ? 0 : missing;
  }

  /** Looks again when the back-off is over. */
  #pause(untilMs: number): void {
    const { server, clock, wheel, events } = this.#context;
    const isNews = this.#pausedUntil !== untilMs;
    this.#pausedUntil = untilMs;
    wheel.set(this.#retry, untilMs);
    if (!isNews) return;
    events.emit({ type: "connects-paused", delayMs: untilMs - clock.now(), strikes: server.backoff.strikes });
  }

  #evict(entry: ConnectionEntry | undefined): boolean {
    if (entry !== undefined) this.#parts.closer.retire(entry, "evicted");
    return entry !== undefined;
  }
}
