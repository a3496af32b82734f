import { describe, expect, test } from "vitest";
import { RequestsById } from "./requests-by-id.ts";

interface Item {
  readonly id: number;
}

/** Chance that is the same each time. */
function chances(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function ids(items: Iterable<Item>): number[] {
  return [...items].map(({ id }) => id);
}

describe("RequestsById", () => {
  test.each([
    { firstId: 1_000_000_000, mostInFlight: 7 },
    { firstId: 1_000_000_000, mostInFlight: 300 },
    { firstId: 0, mostInFlight: 64 },
    // Where ids stop to be numbers of 32 bits.
    { firstId: 2 ** 31 - 500, mostInFlight: 40 },
    { firstId: 2 ** 32 - 500, mostInFlight: 40 },
  ])("finds what a map finds, from id $firstId on with up to $mostInFlight in flight", ({ firstId, mostInFlight }) => {
    const chance = chances(mostInFlight);
    const table = new RequestsById<Item>();
    const model = new Map<number, Item>();
    // One that stays, while all others come and go.
    for (let id = firstId; id < firstId + 3_000; id++) {
      const item = { id };
      table.add(item);
      model.set(id, item);
      while (model.size > chance(mostInFlight) + 1) {
        const gone = [...model.keys()][1 + chance(model.size - 1)] ?? firstId;
        table.delete(gone);
        model.delete(gone);
        table.delete(gone);
        expect(table.get(gone)).toBeUndefined();
      }
      if (id % 16 === 0) for (const [known, value] of model) expect(table.get(known)).toBe(value);
      expect(table.get(id + 1)).toBeUndefined();
      expect(table.size).toBe(model.size);
    }
    expect(ids(table.all())).toEqual(ids(model.values()));
    for (const id of model.keys()) table.delete(id);
    expect(table.all()).toEqual([]);
  });

  test("starts small again after many were in flight", () => {
    const table = new RequestsById<Item>();
    for (let round = 0; round < 2; round++) {
      for (let id = 0; id < 5_000; id++) table.add({ id });
      expect(ids(table.all())).toEqual(Array.from({ length: 5_000 }, (_, id) => id));
      for (let id = 4_999; id >= 0; id--) table.delete(id);
      expect(table.size).toBe(0);
      expect(table.get(17)).toBeUndefined();
    }
  });

  test("keeps the latest of those with one id", () => {
    const table = new RequestsById<Item>();
    const items = [{ id: 3 }, { id: 3 + 16 }, { id: 3 }];
    for (const item of items) table.add(item);
    expect(table.size).toBe(2);
    expect(table.get(3)).toBe(items[2]);
    table.delete(3);
    expect(table.all()).toEqual([items[1]]);
    expect(table.get(3 + 16)).toBe(items[1]);
  });

  test("takes what is no id for the id of nothing", () => {
    const table = new RequestsById<Item>();
    for (let id = 0; id < 8; id++) table.add({ id });
    for (const id of [Number.NaN, Infinity, -Infinity, 1.5, -1, 2 ** 53]) {
      expect(table.get(id)).toBeUndefined();
      table.delete(id);
    }
    expect(table.size).toBe(8);
  });
});
