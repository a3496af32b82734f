import type { ConnectionEntry } from "./connection-entry.ts";
import { LinkedList } from "./linked-list.ts";
import type { ConnectionState } from "./plugin.ts";

/**
 * Holds the connections of a pool in one list per state, with their sums. Does no I/O and decides nothing.
 * Which list an entry is in follows from its state alone; every operation is O(1).
 */
export class ConnectionSet {
  readonly #ready = new LinkedList<ConnectionEntry>();
  /**
   * The head of the ready connections, busy since just now, whose way into the other list is put off until somebody looks:
   * most leases are given back before that, and then it stays where it is.
   */
  #late: ConnectionEntry | undefined;
  /** What {@link first} found; forgotten with each change of the lists. */
  #first: ConnectionEntry | undefined;
  /** Room that could be taken now, in `ready`. */
  freeRoom = 0;
  /** Room that becomes free if the probes under way pass. */
  checkingRoom = 0;
  /** Ready connections at or below their target load. */
  relaxed = 0;
  /** Connections with something on them, and those of them that take no more, since they drain or close. */
  active = 0;
  #activeToEnd = 0;
  inFlight = 0;
  peakActive = 0;
  /** How often a connection has come, or changed lists other than from one claim or release to the next. */
  moves = 0;
  readonly #busy = new LinkedList<ConnectionEntry>();
  readonly checking: LinkedList<ConnectionEntry> = new LinkedList();
  readonly draining: LinkedList<ConnectionEntry> = new LinkedList();
  readonly closing: LinkedList<ConnectionEntry> = new LinkedList();
  /** Idle, and kept for a sticky key; the least recently used comes first. */
  readonly bound: LinkedList<ConnectionEntry> = new LinkedList();

  /** The head of {@link ready}, remembered so that the list itself need not be looked at. */
  get first(): ConnectionEntry | undefined {
    this.#first ??= this.ready.head;
    return this.#first;
  }

  /** With room; the most recently freed comes first, so that surplus ones stay idle and age out. */
  get ready(): LinkedList<ConnectionEntry> {
    if (this.#late !== undefined) this.#settle(this.#late);
    return this.#ready;
  }

  get busy(): LinkedList<ConnectionEntry> {
    if (this.#late !== undefined) this.#settle(this.#late);
    return this.#busy;
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
    for (let entry = this.ready.tail; entry !== undefined; entry = entry.previous) {
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
    this.#first = undefined;
    this.moves++;
    this.#enlist(entry);
    this.#count(entry, 1);
  }

  /** Takes one unit of room of a ready entry. Like {@link release} it is written for speed: it only touches what changes. */
  claim(entry: ConnectionEntry): void {
    entry.uses++;
    this.inFlight++;
    const inFlight = ++entry.inFlight;
    if (entry.stickyKey === undefined) this.freeRoom--;
    if (inFlight === entry.targetLoad + 1) this.relaxed--;
    if (inFlight === 1 && ++this.active > this.peakActive) this.peakActive = this.active;
    if (inFlight >= entry.room) this.#fill(entry);
  }

  /** Gives one unit of room back. */
  release(entry: ConnectionEntry): void {
    this.inFlight--;
    const inFlight = --entry.inFlight;
    if (inFlight === 0) this.active--;
    if (entry.state === "ready") {
      if (entry.stickyKey === undefined) this.freeRoom++;
      if (inFlight === entry.targetLoad) this.relaxed++;
    } else if (entry.state === "busy") {
      if (inFlight < entry.room) this.#unfill(entry);
    } else if (inFlight === 0 && !entry.isUsable) this.#activeToEnd--;
  }

  move(entry: ConnectionEntry, state: ConnectionState): void {
    this.#first = undefined;
    this.moves++;
    if (this.#late !== undefined) this.#settle(this.#late);
    this.#count(entry, -1);
    entry.list?.remove(entry);
    entry.state = state;
    this.#enlist(entry);
    this.#count(entry, 1);
  }

  /** Changes how much an open connection may carry. */
  resize(entry: ConnectionEntry, room: number): void {
    if (entry.room === room) return;
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

  #fill(entry: ConnectionEntry): void {
    entry.state = "busy";
    this.#first = undefined;
    if (this.#late !== undefined) this.#settle(this.#late);
    if (entry === this.#ready.head) this.#late = entry;
    else this.#settle(entry);
  }

  #unfill(entry: ConnectionEntry): void {
    if (entry !== this.#late || entry.stickyKey !== undefined) {
      this.move(entry, "ready");
      return;
    }
    this.#late = undefined;
    entry.state = "ready";
    this.freeRoom++;
    if (entry.inFlight === entry.targetLoad) this.relaxed++;
  }

  #settle(entry: ConnectionEntry): void {
    this.#late = undefined;
    this.#first = undefined;
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
      if (stickyKey === undefined) this.freeRoom += times * (room - inFlight);
      if (inFlight <= targetLoad) this.relaxed += times;
    }
    if (inFlight > 0 && !isUsable) this.#activeToEnd += times;
  }
}
