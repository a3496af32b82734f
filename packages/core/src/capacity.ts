import type { Clock, Timer } from "./clock.ts";
import type { Capacity } from "./context.ts";

/** What waiting for this long is worth one step of priority, in milliseconds, so that nobody starves. */
const AGEING_MS = 1_000;

/** How long a pool keeps what it was given before it must give some to one that has too little, in milliseconds. */
const TURN_MS = 2_000;

/** How often pools are looked through while somebody waits and there is nothing to evict, in milliseconds. */
const RECHECK_MS = 100;

/** A pool that shares the global cap. */
export interface CapacityClaimant {
  readonly priority: number;
  /** Clock time in milliseconds since when its longest-idle connection is idle. */
  readonly idleSince: number | undefined;
  /** Connections it has beyond one and beyond its minimum. */
  readonly surplus: number;
  /** Connections that are being closed, or given up while they open: their units come back by themselves. */
  readonly closing: number;
  /** Connections that close when the work on them ends. */
  readonly draining: number;
  /** A unit is its own now; it opens a connection, or gives the unit back. */
  onCapacity(): void;
  /** Closes its longest-idle connection, if there is one. */
  evictIdle(): boolean;
  /** Lets its least used connection drain, if there is one. */
  retireSurplus(): boolean;
}

/**
 * Bounds the connections of all pools together. Each pool waits here at most once:
 * by priority, then by arrival, with ageing. What the waiting need is evicted from the pools of the lowest priority.
 */
export class ConnectionCap implements Capacity {
  #max: number;
  readonly #clock: Clock;
  readonly #members: () => Iterable<CapacityClaimant>;
  /** Pools that wait, and since when. */
  readonly #waiting = new Map<CapacityClaimant, number>();
  /** When each pool was given its latest unit. */
  readonly #givenAt = new WeakMap<CapacityClaimant, number>();
  #used = 0;
  #recheck: Timer | undefined;

  constructor(max: number, clock: Clock, members: () => Iterable<CapacityClaimant>) {
    this.#max = max;
    this.#clock = clock;
    this.#members = members;
  }

  get used(): number {
    return this.#used;
  }

  get max(): number {
    return this.#max;
  }

  set max(value: number) {
    this.#max = value;
    this.#hand();
  }

  take(claimant: CapacityClaimant, isForMinimum: boolean): boolean {
    if (this.#used < this.#max && this.#waiting.size === 0) {
      this.#grant(claimant);
      return true;
    }
    if (isForMinimum || this.#waiting.has(claimant)) return false;
    this.#waiting.set(claimant, this.#clock.now());
    this.#makeRoom();
    return false;
  }

  give(): void {
    this.#used--;
    this.#hand();
  }

  withdraw(claimant: CapacityClaimant): void {
    if (this.#waiting.delete(claimant)) this.#watch();
  }

  /** Hands free units to the waiting, the most urgent first. */
  #hand(): void {
    while (this.#used < this.#max) {
      const next = this.#mostUrgent();
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#grant(next);
      next.onCapacity();
    }
    this.#makeRoom();
  }

  #grant(claimant: CapacityClaimant): void {
    this.#used++;
    this.#givenAt.set(claimant, this.#clock.now());
  }

  #mostUrgent(): CapacityClaimant | undefined {
    let best: CapacityClaimant | undefined;
    for (const claimant of this.#waiting.keys()) {
      if (best === undefined || this.#urgency(claimant) > this.#urgency(best)) best = claimant;
    }
    return best;
  }

  #urgency(claimant: CapacityClaimant): number {
    const now = this.#clock.now();
    return claimant.priority + (now - (this.#waiting.get(claimant) ?? now)) / AGEING_MS;
  }

  /** Units that are waited for, or above the cap, and that neither free ones nor those to come cover. */
  #missing(coming: number): number {
    return this.#waiting.size + this.#used - this.#max - coming;
  }

  #closing(): number {
    let sum = 0;
    for (const member of this.#members()) sum += member.closing;
    return sum;
  }

  #leaving(): number {
    let sum = 0;
    for (const member of this.#members()) sum += member.closing + member.draining;
    return sum;
  }

  /** Evicts what is missing: idle connections first, then surplus ones, then those whose turn is over. */
  #makeRoom(): void {
    // Work may go on for long: an idle connection is taken even though a busy one drains already.
    while (this.#missing(0) > 0 && this.#missing(this.#closing()) > 0) {
      if (!this.#victim((member) => member.idleSince !== undefined)?.evictIdle()) break;
    }
    for (let leaving = this.#leaving(); this.#missing(leaving) > 0; leaving = this.#leaving()) {
      const surplus = this.#victim((member) => member.surplus > 0 && !this.#waiting.has(member));
      if (!(surplus ?? this.#outweighed(leaving))?.retireSurplus()) break;
    }
    this.#watch();
  }

  /** A pool that must give a connection up for one that has too little and has waited for long: it waits anew from now on. */
  #outweighed(leaving: number): CapacityClaimant | undefined {
    const starving = [...this.#waiting.keys()].filter(({ surplus }) => surplus < 0);
    starving.sort((a, b) => this.#urgency(b) - this.#urgency(a));
    const next = starving[leaving];
    if (next === undefined) return undefined;
    const urgency = this.#urgency(next);
    const turnsEndAt = this.#clock.now() - TURN_MS;
    const isOver = (member: CapacityClaimant) => (this.#givenAt.get(member) ?? 0) <= turnsEndAt;
    const victim = this.#victim(
      (member) => member.surplus > next.surplus && member.priority <= urgency && isOver(member),
    );
    if (victim !== undefined && this.#waiting.delete(victim)) this.#waiting.set(victim, this.#clock.now());
    return victim;
  }

  /** Looks again from time to time while units are missing: connections become idle without a word. */
  #watch(): void {
    if (this.#missing(0) <= 0) {
      this.#recheck?.cancel();
      this.#recheck = undefined;
    } else if (this.#recheck === undefined) {
      this.#recheck = this.#clock.setTimer(() => {
        this.#recheck = undefined;
        this.#makeRoom();
      }, RECHECK_MS);
      this.#recheck.unref();
    }
  }

  /** The pool of the lowest priority; among equals the one whose connection is idle for the longest, or that has most. */
  #victim(qualifies: (member: CapacityClaimant) => boolean): CapacityClaimant | undefined {
    let worst: CapacityClaimant | undefined;
    for (const member of this.#members()) {
      if (!qualifies(member)) continue;
      if (worst === undefined || this.#isWorse(member, worst)) worst = member;
    }
    return worst;
  }

  #isWorse(a: CapacityClaimant, b: CapacityClaimant): boolean {
    if (a.priority !== b.priority) return a.priority < b.priority;
    const aIdle = a.idleSince ?? Infinity;
    const bIdle = b.idleSince ?? Infinity;
    return aIdle === bIdle ? a.surplus > b.surplus : aIdle < bIdle;
  }
}
