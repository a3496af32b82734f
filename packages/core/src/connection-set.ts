import type { ConnectionEntry } from "./connection-entry.ts";
import { LinkedList } from "./linked-list.ts";
import type { ConnectionState } from "./plugin.ts";

/** The part of its room up to which a connection is not busy enough to open another beside it. */
const TARGET_LOAD = 0.75;

/**
 * Holds the connections of a pool in one list per state, with their sums. Does no I/O and decides nothing.
 * Which list an entry is in follows from its state alone; every operation is O(1).
 */
export class ConnectionSet {
  /** With room; the most recently freed comes first, so that surplus ones stay idle and age out. */
  readonly ready: LinkedList<ConnectionEntry> = new LinkedList();
  readonly busy: LinkedList<ConnectionEntry> = new LinkedList();
  readonly checking: LinkedList<ConnectionEntry> = new LinkedList();
  readonly draining: LinkedList<ConnectionEntry> = new LinkedList();
  readonly closing: LinkedList<ConnectionEntry> = new LinkedList();
  /** Idle, and kept for a sticky key; the least recently used comes first. */
  readonly bound: LinkedList<ConnectionEntry> = new LinkedList();
  /** Room that could be taken now, in `ready`. */
  freeRoom = 0;
  /** Ready connections at or below their target load. */
  relaxed = 0;
  /** Connections with something on them, and open ones with nothing. */
  active = 0;
  idle = 0;
  inFlight = 0;
  peakActive = 0;

  /** Connections that are not closed yet. */
  get size(): number {
    return this.usable + this.draining.size + this.closing.size;
  }

  /** Connections that serve, or may after a check. */
  get usable(): number {
    return this.ready.size + this.busy.size + this.checking.size + this.bound.size;
  }

  /** Whether this connection, and no other, serves or may after a check. */
  hasOnly(id: number): boolean {
    if (this.usable !== 1) return false;
    for (const { isUsable, id: own } of this) if (isUsable) return own === id;
    return false;
  }

  add(entry: ConnectionEntry): void {
    this.#place(entry);
  }

  /** Takes one unit of room. */
  claim(entry: ConnectionEntry): void {
    entry.uses++;
    this.inFlight++;
    if (++entry.inFlight === 1) {
      this.active++;
      if (this.active > this.peakActive) this.peakActive = this.active;
    }
    if (entry.inFlight >= entry.room) this.move(entry, "busy");
    else this.#count(entry);
  }

  /** Gives one unit of room back. */
  release(entry: ConnectionEntry): void {
    this.inFlight--;
    if (--entry.inFlight === 0) this.active--;
    if (entry.state === "busy" && entry.inFlight < entry.room) this.move(entry, "ready");
    else this.#count(entry);
  }

  move(entry: ConnectionEntry, state: ConnectionState): void {
    entry.state = state;
    this.#place(entry);
  }

  /** Changes how much an open connection may carry. */
  resize(entry: ConnectionEntry, room: number): void {
    if (entry.room === room) return;
    entry.room = room;
    const isServing = entry.state === "ready" || entry.state === "busy";
    const state = entry.inFlight < room ? "ready" : "busy";
    // What stays in its list keeps its place there, which says how recently it was used.
    if (isServing && state !== entry.state) this.move(entry, state);
    else this.#count(entry);
  }

  *[Symbol.iterator](): IterableIterator<ConnectionEntry> {
    for (const list of [this.ready, this.bound, this.busy, this.checking, this.draining, this.closing]) yield* list;
  }

  #place(entry: ConnectionEntry): void {
    entry.list?.remove(entry);
    switch (entry.state) {
      case "ready":
        if (entry.stickyKey === undefined) this.ready.pushFront(entry);
        else this.bound.pushBack(entry);
        break;
      case "busy":
        this.busy.pushBack(entry);
        break;
      case "checking":
        this.checking.pushBack(entry);
        break;
      case "draining":
        this.draining.pushBack(entry);
        break;
      case "closing":
        this.closing.pushBack(entry);
        break;
      case "closed":
        break;
    }
    this.#count(entry);
  }

  #count(entry: ConnectionEntry): void {
    const isReady = entry.state === "ready";
    const free = isReady && entry.stickyKey === undefined ? entry.room - entry.inFlight : 0;
    this.freeRoom += free - entry.countedFree;
    entry.countedFree = free;
    const isRelaxed = isReady && entry.inFlight <= entry.room * TARGET_LOAD;
    if (isRelaxed !== entry.isRelaxed) {
      entry.isRelaxed = isRelaxed;
      this.relaxed += isRelaxed ? 1 : -1;
    }
    const isIdle = entry.inFlight === 0 && (isReady || entry.state === "checking");
    if (isIdle !== entry.isCountedIdle) {
      entry.isCountedIdle = isIdle;
      this.idle += isIdle ? 1 : -1;
    }
  }
}
