import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "./clock.ts";
import { ConnectionEntry } from "./connection-entry.ts";
import { ConnectionSet } from "./connection-set.ts";
import { type FastLane, lend, takeBack } from "./fast-lane.ts";
import type { ConnectionState } from "./plugin.ts";
import { FakeClock, ScriptedConnector } from "./testing/index.ts";

const connector = new ScriptedConnector({ clock: new FakeClock() });
const request = { serverName: "a", identity: undefined, signal: new AbortController().signal, timeoutMs: 1_000 };
const connection = await connector.connect(request);

type Step =
  | { readonly do: "add"; readonly room: number }
  | { readonly do: "claim" | "release" | "bind"; readonly index: number }
  | { readonly do: "lend" }
  | { readonly do: "look" }
  | { readonly do: "wait" }
  | { readonly do: "leave" }
  | { readonly do: "move"; readonly index: number; readonly to: ConnectionState }
  | { readonly do: "resize"; readonly index: number; readonly room: number };

const index = fc.nat(9);
const room = fc.integer({ min: 1, max: 4 });
const states: readonly ConnectionState[] = ["checking", "draining", "closing", "closed"];
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("add" as const), room }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("claim" as const, "claim", "release", "bind"), index }) },
  { weight: 4, arbitrary: fc.constantFrom<Step>({ do: "lend" }, { do: "lend" }, { do: "look" }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: "wait" }, { do: "leave" }, { do: "leave" }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move" as const), index, to: fc.constantFrom(...states) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resize" as const), index, room }) },
);

/** A set, and every entry that was ever in it. */
class World {
  /** Units of the limit that the set has told of, and those that it need not. */
  told = 0;
  readonly line: { head: unknown } = { head: undefined };
  readonly lane: FastLane & { readonly clock: Clock } = { next: undefined, lent: undefined, clock: systemClock };
  readonly set = new ConnectionSet(this.lane, { claim: () => this.told++ }, this.line);
  readonly entries: ConnectionEntry[] = [];
  peak = 0;
  known = 0;

  constructor() {
    this.set.isSimple = true;
  }

  step(each: Step): void {
    const { set, lane, entries } = this;
    if (each.do === "add") {
      const entry = new ConnectionEntry(entries.length + 1, connection, each.room, 0, 0);
      entries.push(entry);
      set.add(entry);
      return;
    }
    if (each.do === "lend") {
      const { next } = lane;
      if (next === undefined) return;
      expect(next).toMatchObject({ state: "ready", inFlight: 0, stickyKey: undefined });
      lend(lane, next);
      return;
    }
    if (each.do === "look") {
      set.settle();
      return;
    }
    if (each.do === "wait" || each.do === "leave") {
      const isFirst = each.do === "wait" && this.line.head === undefined;
      this.line.head = each.do === "wait" ? "somebody" : undefined;
      if (isFirst) set.suspend();
      return;
    }
    const entry = entries[each.index % Math.max(entries.length, 1)];
    if (entry === undefined) return;
    const isServing = entry.state === "ready" || entry.state === "busy";
    switch (each.do) {
      case "claim":
        if (entry.state !== "ready") return;
        this.known++;
        set.claim(entry);
        return;
      case "release":
        if (entry.inFlight === 0 || takeBack(lane, entry)) return;
        set.release(entry);
        this.known--;
        return;
      case "bind":
        // A key is given to what is lent, and taken from it likewise.
        if (entry.state === "busy") entry.stickyKey = entry.stickyKey === undefined ? "key" : undefined;
        return;
      case "move":
        if (each.to === "checking" ? isServing && entry.inFlight === 0 : entry.state !== "closed")
          set.move(entry, each.to);
        return;
      case "resize":
        if (entry.state !== "closed") set.resize(entry, each.room);
        return;
      default:
    }
  }

  /** Says what the sums should be, from the entries alone. Looks at no list: what a set puts off until then stays put off. */
  checkSums(): void {
    const { set, entries } = this;
    const count = (is: (entry: ConnectionEntry) => boolean) => entries.filter(is).length;
    const ready = entries.filter(({ state }) => state === "ready");
    const active = count(({ inFlight }) => inFlight > 0);
    this.peak = Math.max(this.peak, active);
    const { freeRoom, relaxed, idle, inFlight, peakActive } = set;
    expect({ freeRoom, relaxed, active: set.active, idle, inFlight, peakActive }).toEqual({
      freeRoom: ready
        .filter(({ stickyKey }) => stickyKey === undefined)
        .reduce((sum, entry) => sum + entry.room - entry.inFlight, 0),
      relaxed: ready.filter(({ inFlight, targetLoad }) => inFlight <= targetLoad).length,
      active,
      idle: count(({ inFlight, state }) => inFlight === 0 && (state === "ready" || state === "checking")),
      inFlight: entries.reduce((sum, { inFlight }) => sum + inFlight, 0),
      peakActive: this.peak,
    });
    // What the limit has not been told of is the one that was lent last, and may be given back as if it had never been.
    const untold = set.inFlight - this.known - this.told;
    expect(untold === 0 || untold === 1).toBe(true);
    // Who waits comes before whoever comes next.
    if (this.line.head !== undefined) expect([this.lane.next, untold]).toEqual([undefined, 0]);
    const usable = entries.filter(({ isUsable }) => isUsable);
    expect([set.usable, set.size]).toEqual([usable.length, count(({ state }) => state !== "closed")]);
  }

  /** Says which list each entry should be in. */
  checkLists(): void {
    const { set, entries } = this;
    // What it remembers is looked at before the lists themselves are.
    const { next } = this.lane;
    if (next !== undefined) expect(next).toBe(set.ready.head);
    const ready = entries.filter(({ state }) => state === "ready");
    const inState = (state: ConnectionState) => entries.filter((entry) => entry.state === state).map(({ id }) => id);
    const ids = (list: Iterable<ConnectionEntry>) => [...list].map(({ id }) => id).sort((a, b) => a - b);
    const bound = ready.filter(({ stickyKey }) => stickyKey !== undefined).map(({ id }) => id);
    expect(ids(set.bound)).toEqual(bound);
    expect(ids(set.ready)).toEqual(ready.map(({ id }) => id).filter((id) => !bound.includes(id)));
    for (const state of ["busy", "checking", "draining", "closing"] as const)
      expect(ids(set[state])).toEqual(inState(state));
    expect(ids(set)).toEqual(entries.filter(({ state }) => state !== "closed").map(({ id }) => id));
    const usable = entries.filter(({ isUsable }) => isUsable);
    for (const { id } of entries) expect(set.hasOnly(id)).toBe(usable.length === 1 && usable[0]?.id === id);
    for (const { state, inFlight, room: own } of entries) {
      if (state === "ready") expect(inFlight).toBeLessThan(own);
      if (state === "busy") expect(inFlight).toBeGreaterThanOrEqual(own);
    }
  }
}

describe("the set of a pool's connections", () => {
  it("has each in the list of its state, and its sums right, after any steps", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 60, size: "max" }), (steps) => {
        const world = new World();
        for (const [each, isLooking] of steps) {
          world.step(each);
          world.checkSums();
          if (isLooking) world.checkLists();
        }
        world.checkLists();
      }),
      { numRuns: 500 },
    );
  });

  it("lends what was given back last first, whoever looked at its lists meanwhile", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.boolean()), { maxLength: 60, size: "max" }), (steps) => {
        const world = new World();
        for (let count = 0; count < 4; count++) world.step({ do: "add", room: 1 });
        const free = [4, 3, 2, 1];
        const taken: ConnectionEntry[] = [];
        for (const [at, isTaking] of steps) {
          const from = isTaking ? [...world.set.ready] : taken;
          const index = at % Math.max(from.length, 1);
          const [entry] = from.splice(index, 1);
          if (entry === undefined) continue;
          if (isTaking) {
            expect(entry.id).toBe(free.splice(index, 1)[0]);
            world.set.claim(entry);
            taken.push(entry);
          } else {
            world.set.release(entry);
            free.unshift(entry.id);
          }
        }
        expect([...world.set.ready].map(({ id }) => id)).toEqual(free);
        expect([...world.set.busy]).toEqual(taken);
      }),
    );
  });

  it("keeps a connection apart that got a key while it was lent", () => {
    const world = new World();
    world.step({ do: "add", room: 1 });
    for (const each of ["claim", "bind", "release"] as const) world.step({ do: each, index: 0 });
    world.checkLists();
  });

  it("loses nothing when another one than the first is taken, and nobody has looked meanwhile", () => {
    const world = new World();
    for (let count = 0; count < 2; count++) world.step({ do: "add", room: 1 });
    for (const index of [1, 0]) world.step({ do: "claim", index });
    world.checkLists();
  });

  // From a room of 5 on, a connection may be above its target load and have room all the same.
  it("knows at each step whether a connection of much room is above its target load", () => {
    const world = new World();
    world.step({ do: "add", room: 8 });
    for (const each of ["claim", "release"] as const) {
      for (let count = 0; count < 8; count++) {
        world.step({ do: each, index: 0 });
        world.checkSums();
      }
    }
  });

  it("keeps the place of what is resized and stays in its list", () => {
    const world = new World();
    for (let count = 0; count < 3; count++) world.step({ do: "add", room: 2 });
    world.step({ do: "resize", index: 0, room: 3 });
    world.step({ do: "resize", index: 1, room: 2 });
    expect([...world.set.ready].map(({ id }) => id)).toEqual([3, 2, 1]);
  });
});
