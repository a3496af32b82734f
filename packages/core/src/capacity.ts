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
  /** Connections that are being closed, or given up while they open: their units come back by themselves, and soon. */
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
  #isMakingRoom = false;
  #isAgain = false;
  /** Connections that close, as far as is known: at least as many do. Saves looking through all pools again. */
  #knownClosing = 0;

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
    this.#knownClosing = Math.max(this.#knownClosing - 1, 0);
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
    const now = this.#clock.now();
    let best: CapacityClaimant | undefined;
    let highest = -Infinity;
    for (const [claimant, since] of this.#waiting) {
      const urgency = urgencyOf(claimant, since, now);
      if (best !== undefined && urgency <= highest) continue;
      best = claimant;
      highest = urgency;
    }
    return best;
  }

  /** Units that are waited for, or above the cap, and that neither free ones nor those to come cover. */
  #missing(coming: number): number {
    return this.#waiting.size + this.#used - this.#max - coming;
  }

  /** Evicts what is missing. Whoever needs room while that goes on, from within a listener say, is served by one more round. */
  #makeRoom(): void {
    this.#isAgain = true;
    if (this.#isMakingRoom) return;
    this.#isMakingRoom = true;
    try {
      while (this.#isAgain) {
        this.#isAgain = false;
        if (this.#missing(this.#knownClosing) <= 0) continue;
        const survey = new Survey(this.#members());
        this.#evictMissing(survey);
        this.#knownClosing = this.#isAgain ? 0 : survey.closing;
      }
    } finally {
      this.#isMakingRoom = false;
    }
    this.#watch();
  }

  /** Evicts idle connections first, then surplus ones, then those whose turn is over. */
  #evictMissing(survey: Survey): void {
    // Work may go on for long: an idle connection is taken even though a busy one drains already.
    while (this.#missing(survey.closing) > 0) {
      const victim = survey.worst((member) => member.idleSince !== undefined);
      if (victim === undefined) break;
      survey.ask(victim, () => victim.evictIdle());
    }
    survey.forgive();
    while (this.#missing(survey.leaving) > 0) {
      const surplus = survey.worst((member) => member.surplus > 0 && !this.#waiting.has(member));
      const victim = surplus ?? this.#outweighed(survey);
      if (victim === undefined) break;
      const hasGiven = survey.ask(victim, () => victim.retireSurplus());
      // Whose turn is over waits anew from now on.
      if (hasGiven && this.#waiting.delete(victim)) this.#waiting.set(victim, this.#clock.now());
    }
  }

  /** A pool that must give a connection up for one that has too little and has waited for long. */
  #outweighed(survey: Survey): CapacityClaimant | undefined {
    const now = this.#clock.now();
    const turnsEndAt = now - TURN_MS;
    const isOver = (member: CapacityClaimant) => (this.#givenAt.get(member) ?? 0) <= turnsEndAt;
    const starving = [...this.#waiting].filter(([{ surplus }]) => surplus < 0);
    const least = starving.reduce((lowest, [{ surplus }]) => Math.min(lowest, surplus), 0);
    // Most of the time nobody's turn is over; then there is no need to sort.
    if (survey.worst((member) => member.surplus > least && isOver(member)) === undefined) return undefined;
    const inOrder = starving.map(([claimant, since]) => ({ claimant, urgency: urgencyOf(claimant, since, now) }));
    inOrder.sort((a, b) => b.urgency - a.urgency);
    const next = inOrder[survey.leaving];
    if (next === undefined) return undefined;
    const { claimant, urgency } = next;
    return survey.worst((member) => member.surplus > claimant.surplus && member.priority <= urgency && isOver(member));
  }

  /** Looks again from time to time while units are missing: connections become idle without a word. */
  #watch(): void {
    if (this.#missing(0) <= 0) {
      this.#recheck?.cancel();
      this.#recheck = undefined;
    } else if (this.#recheck === undefined) {
      this.#recheck = this.#clock.setTimer(() => {
        this.#recheck = undefined;
        // What took too long to close is not reckoned with any more.
        this.#knownClosing = 0;
        this.#makeRoom();
      }, RECHECK_MS);
      this.#recheck.unref();
    }
  }
}

/** What can be had from the pools, looked up once for any number of evictions. */
class Survey {
  /** Connections that close, or will when the work on them ends. */
  closing = 0;
  leaving = 0;
  readonly #members: CapacityClaimant[] = [];
  readonly #unwilling = new Set<CapacityClaimant>();

  constructor(members: Iterable<CapacityClaimant>) {
    for (const member of members) {
      this.#count(member, 1);
      this.#members.push(member);
    }
  }

  /** The pool of the lowest priority; among equals the one whose connection is idle for the longest, or that has most. */
  worst(qualifies: (member: CapacityClaimant) => boolean): CapacityClaimant | undefined {
    let worst: CapacityClaimant | undefined;
    for (const member of this.#members) {
      if (!qualifies(member) || this.#unwilling.has(member)) continue;
      if (worst === undefined || isWorse(member, worst)) worst = member;
    }
    return worst;
  }

  /** Asks a pool to give a connection up. One that has none to give is not asked again: all it has may be in doubt. */
  ask(member: CapacityClaimant, give: () => boolean): boolean {
    this.#count(member, -1);
    const hasGiven = give();
    this.#count(member, 1);
    if (!hasGiven) this.#unwilling.add(member);
    return hasGiven;
  }

  /** Who refused one thing may still give another. */
  forgive(): void {
    this.#unwilling.clear();
  }

  #count({ closing, draining }: CapacityClaimant, times: 1 | -1): void {
    this.closing += times * closing;
    this.leaving += times * (closing + draining);
  }
}

function urgencyOf({ priority }: CapacityClaimant, since: number, now: number): number {
  return priority + (now - since) / AGEING_MS;
}

function isWorse(a: CapacityClaimant, b: CapacityClaimant): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority;
  const aIdle = a.idleSince ?? Infinity;
  const bIdle = b.idleSince ?? Infinity;
  return aIdle === bIdle ? a.surplus > b.surplus : aIdle < bIdle;
}
