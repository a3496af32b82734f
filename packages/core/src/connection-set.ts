import type { ConnectionEntry } from "./connection-entry.ts";
import type { FastLane } from "./fast-lane.ts";
import { LinkedList } from "./linked-list.ts";
import type { ConnectionState } from "./plugin.ts";
import type { InFlightLimit } from "./server-state.ts";

/**
 * Holds the connections of a pool in one list per state, with their sums. Does no I/O and decides nothing.
 * Which list an entry is in follows from its state alone; every operation is O(1).
 */
export class ConnectionSet {
  readonly #lane: FastLane;
  readonly #ready = new LinkedList<ConnectionEntry>();
  readonly #limit: Pick<InFlightLimit, "claim">;
  readonly #line: { readonly head: unknown };
  /** Whether a connection that is given back may be lent again as it is, and nobody counts what is lent. */
  #isSimple = false;
  #freeRoom = 0;
  /** Room that becomes free if the probes under way pass. */
  checkingRoom = 0;
  /** Ready connections at or below their target load. */
  relaxed = 0;
  #active = 0;
  /** Connections with something on them that take no more, since they drain or close. */
  #activeToEnd = 0;
  #inFlight = 0;
  peakActive = 0;
  /** How often a connection has come, or changed lists other than from one claim or release to the next. */
  moves = 0;
  readonly #busy = new LinkedList<ConnectionEntry>();
  readonly checking: LinkedList<ConnectionEntry> = new LinkedList();
  readonly draining: LinkedList<ConnectionEntry> = new LinkedList();
  readonly closing: LinkedList<ConnectionEntry> = new LinkedList();
  /** Idle, and kept for a sticky key; the least recently used comes first. */
  readonly bound: LinkedList<ConnectionEntry> = new LinkedList();

  /**
   * @param lane gets what may be lent in passing; what it has lent is booked here as soon as somebody looks
   * @param limit is told of what was lent when that is booked
   * @param line those who wait for any connection; {@link suspend} is called when it gets its first
   */
  constructor(lane: FastLane, limit: Pick<InFlightLimit, "claim">, line: { readonly head: unknown }) {
    this.#lane = lane;
    this.#limit = limit;
    this.#line = line;
  }

  /** With room; the most recently freed comes first, so that surplus ones stay idle and age out. */
  get ready(): LinkedList<ConnectionEntry> {
    this.settle();
    return this.#ready;
  }

  get busy(): LinkedList<ConnectionEntry> {
    this.settle();
    return this.#busy;
  }

  /** Room that could be taken now, in `ready`. */
  get freeRoom(): number {
    return this.#freeRoom - this.#unsettled;
  }

  get inFlight(): number {
    return this.#inFlight + this.#unsettled;
  }

  /** Connections with something on them. */
  get active(): number {
    return this.#active + this.#unsettled;
  }

  /** Connections that are not closed yet. */
  get size(): number {
    return this.usable + this.draining.size + this.closing.size;
  }

  /** Connections that serve, or may after a check. */
  get usable(): number {
    return this.#ready.size + this.#busy.size + this.checking.size + this.bound.size;
  }

  /** Open connections with nothing on them. */
  get idle(): number {
    return this.usable - (this.active - this.#activeToEnd);
  }

  /** The least recently used connection that nobody uses; ready ones of that kind stand at the end. */
  get longestIdle(): ConnectionEntry | undefined {
    const { ready } = this;
    for (let entry = ready.tail; entry !== undefined; entry = ready.before(entry)) {
      if (entry.inFlight === 0) return entry;
    }
    return this.bound.head;
  }

  /** Whether this connection, and no other, serves or may after a check. */
  hasOnly(id: number): boolean {
    if (this.usable !== 1) return false;
    for (const { isUsable, id: own } of this) if (isUsable) return own === id;
    return false;
  }

  add(entry: ConnectionEntry): void {
    this.settle();
    this.#lane.next = undefined;
    this.moves++;
    this.#enlist(entry);
    this.#count(entry, 1);
  }

  /** Somebody waits from now on, whose turn comes before that of those who ask next. */
  suspend(): void {
    this.settle();
    this.#lane.next = undefined;
  }

  /** Takes one unit of room of a ready entry. Like {@link release} it is written for speed: it only touches what changes. */
  claim(entry: ConnectionEntry): void {
    this.settle();
    this.#lane.next = undefined;
    entry.uses++;
    this.#inFlight++;
    const inFlight = ++entry.inFlight;
    if (entry.stickyKey === undefined) this.#freeRoom--;
    if (inFlight === entry.targetLoad + 1) this.relaxed--;
    if (inFlight === 1 && ++this.#active > this.peakActive) this.peakActive = this.#active;
    if (inFlight >= entry.room) this.#fill(entry);
  }

  /** Gives one unit of room back. */
  release(entry: ConnectionEntry): void {
    this.settle();
    this.#lane.next = undefined;
    this.#inFlight--;
    const inFlight = --entry.inFlight;
    if (inFlight === 0) this.#active--;
    if (entry.state === "ready") {
      if (entry.stickyKey === undefined) this.#freeRoom++;
      if (inFlight === entry.targetLoad) this.relaxed++;
    } else if (entry.state === "busy") {
      if (inFlight < entry.room) this.move(entry, "ready");
    } else if (inFlight === 0 && !entry.isUsable) this.#activeToEnd--;
    if (inFlight === 0 && entry === this.#ready.head && this.#isSimple && this.#line.head === undefined)
      this.#lane.next = entry;
  }

  /** Books what was lent since somebody looked last. */
  settle(): void {
    if (this.#lane.lent !== undefined) this.#book(this.#lane.lent);
  }

  /** Says whether claims may be booked later from now on. */
  set isSimple(isSimple: boolean) {
    this.settle();
    this.#lane.next = undefined;
    this.#isSimple = isSimple;
  }

  move(entry: ConnectionEntry, state: ConnectionState): void {
    this.settle();
    this.#lane.next = undefined;
    this.moves++;
    this.#count(entry, -1);
    entry.list?.remove(entry);
    entry.state = state;
    this.#enlist(entry);
    this.#count(entry, 1);
  }

  /** Changes how much an open connection may carry. */
  resize(entry: ConnectionEntry, room: number): void {
    if (entry.room === room) return;
    this.settle();
    this.#lane.next = undefined;
    this.#count(entry, -1);
    entry.setRoom(room);
    this.#count(entry, 1);
    const isServing = entry.state === "ready" || entry.state === "busy";
    const state = entry.inFlight < room ? "ready" : "busy";
    // What stays in its list keeps its place there, which says how recently it was used.
    if (isServing && state !== entry.state) this.move(entry, state);
  }

  *[Symbol.iterator](): IterableIterator<ConnectionEntry> {
    for (const list of [this.ready, this.bound, this.busy, this.checking, this.draining, this.closing]) yield* list;
  }

  get #unsettled(): 0 | 1 {
    return this.#lane.lent === undefined ? 0 : 1;
  }

  #book(entry: ConnectionEntry): void {
    this.#lane.lent = undefined;
    this.#limit.claim();
    this.#inFlight++;
    this.#active++;
    this.#freeRoom--;
    if (entry.inFlight >= entry.room) this.#fill(entry);
  }

  #fill(entry: ConnectionEntry): void {
    entry.state = "busy";
    entry.list?.remove(entry);
    this.#busy.pushBack(entry);
  }

  #enlist(entry: ConnectionEntry): void {
    switch (entry.state) {
      case "ready":
        if (entry.stickyKey === undefined) this.#ready.pushFront(entry);
        else this.bound.pushBack(entry);
        return;
      case "busy":
        this.#busy.pushBack(entry);
        return;
      case "checking":
        this.checking.pushBack(entry);
        return;
      case "draining":
        this.draining.pushBack(entry);
        return;
      case "closing":
        this.closing.pushBack(entry);
        return;
      case "closed":
    }
  }

  /** Adds an entry to the sums, or takes it out of them. */
  #count({ state, stickyKey, inFlight, room, targetLoad, isUsable }: ConnectionEntry, times: 1 | -1): void {
    if (state === "ready") {
      if (stickyKey === undefined) this.#freeRoom += times * (room - inFlight);
      if (inFlight <= targetLoad) this.relaxed += times;
    }
    if (inFlight > 0 && !isUsable) this.#activeToEnd += times;
  }
}
