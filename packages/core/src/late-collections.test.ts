import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LateMap, LateSet } from "./late-collections.ts";

const step = fc.tuple(fc.constantFrom("add", "delete", "clear"), fc.nat(3));

describe("late collections", () => {
  it("hold what those of the language would, after any steps", () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [set, map] = [new LateSet<number>(), new LateMap<number, string>()];
        const [plainSet, plainMap] = [new Set<number>(), new Map<number, string>()];
        for (const [what, item] of steps) {
          if (what === "add") {
            set.add(item);
            map.set(item, `value ${plainMap.size}`);
            plainMap.set(item, `value ${plainMap.size}`);
            plainSet.add(item);
          } else if (what === "delete") {
            expect([set.delete(item), map.delete(item)]).toEqual([plainSet.delete(item), plainMap.delete(item)]);
          } else {
            for (const each of [set, map, plainSet, plainMap]) each.clear();
          }
          expect([[...set], [...map], [...map.entries()]]).toEqual([[...plainSet], [...plainMap], [...plainMap]]);
          expect([[...map.keys()], [...map.values()]]).toEqual([[...plainMap.keys()], [...plainMap.values()]]);
          expect([set.size, map.size]).toEqual([plainSet.size, plainMap.size]);
          for (const key of [0, 1, 2, 3]) {
            expect([set.has(key), map.has(key), map.get(key)]).toEqual([
              plainSet.has(key),
              plainMap.has(key),
              plainMap.get(key),
            ]);
          }
        }
      }),
    );
  });
});
