import fc from "fast-check";
import { expect, it } from "vitest";
import { LinkedList, type ListItem } from "./linked-list.ts";

class Item implements ListItem<Item> {
  previous: Item | undefined;
  next: Item | undefined;
  list: LinkedList<Item> | undefined;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

it("holds what an array would, from both ends, after any steps", () => {
  const step = fc.tuple(fc.constantFrom("pushFront", "pushBack", "remove", "shift"), fc.nat(4), fc.nat(1));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const lists = [new LinkedList<Item>(), new LinkedList<Item>()] as const;
      const arrays: [Item[], Item[]] = [[], []];
      const items = Array.from({ length: 5 }, (_, id) => new Item(id));
      for (const [name, itemIndex, listIndex] of steps) {
        const item = items[itemIndex] as Item;
        const list = lists[listIndex] as LinkedList<Item>;
        const array = arrays[listIndex] as Item[];
        const isFirstOfSeveral = array.length > 1 && array[0] === item;
        const answer = list[name as "pushFront" | "pushBack" | "remove" | "shift"](item);
        if (name === "shift") expect(answer).toBe(isFirstOfSeveral);
        if (name.startsWith("push"))
          for (const each of arrays) each.splice(0, each.length, ...each.filter((own) => own !== item));
        if (name === "pushFront") array.unshift(item);
        else if (name === "pushBack") array.push(item);
        else if (name === "remove" || isFirstOfSeveral)
          array.splice(0, array.length, ...array.filter((own) => own !== item));
        for (const [index, each] of lists.entries()) {
          const expected = arrays[index] as Item[];
          expect([...each]).toEqual(expected);
          expect([each.size, each.head, each.tail]).toEqual([expected.length, expected[0], expected.at(-1)]);
          expect(expected.map((own) => each.before(own))).toEqual(expected.map((_, at) => expected[at - 1]));
        }
      }
      for (const item of items) {
        if (item.list === undefined) expect([item.previous, item.next]).toEqual([undefined, undefined]);
      }
    }),
  );
});
