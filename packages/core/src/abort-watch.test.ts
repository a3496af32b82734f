import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { type AbortTarget, unwatchAbort, watchAbort } from "./abort-watch.ts";

function world() {
  const controller = new AbortController();
  const { signal } = controller;
  const heard: string[] = [];
  const target = (name: string, onAbort = () => {}): AbortTarget => ({
    onAbort(reason) {
      heard.push(`${name}: ${String(reason)}`);
      onAbort();
    },
  });
  return { controller, signal, heard, target, listeners: () => getEventListeners(signal, "abort").length };
}

describe("watching a signal", () => {
  it("tells every target once, in the order in which they came, through one listener", () => {
    const { controller, signal, heard, target, listeners } = world();
    const [a, b, c] = [target("a"), target("b"), target("c")];
    for (const each of [a, b, c, a, b]) watchAbort(signal, each);
    expect(listeners()).toBe(1);
    controller.abort("gone");
    controller.abort("again");
    expect(heard).toEqual(["a: gone", "b: gone", "c: gone"]);
    expect(listeners()).toBe(0);
  });

  it.each([
    ["the first", 0],
    ["the second", 1],
    ["the last", 2],
  ])("goes on for the others when %s has left", (_which, index) => {
    const { controller, signal, heard, target, listeners } = world();
    const targets = ["a", "b", "c"].map((name) => target(name));
    for (const each of targets) watchAbort(signal, each);
    const [left] = targets.splice(index, 1);
    if (left !== undefined) unwatchAbort(signal, left);
    expect(listeners()).toBe(1);
    controller.abort("gone");
    expect(heard).toEqual(["a: gone", "b: gone", "c: gone"].filter((_, at) => at !== index));
  });

  it("leaves no listener behind, whoever leaves first, and hears again who comes later", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { controller, signal, heard, target, listeners } = world();
      const targets = [target("a"), target("b")];
      for (const each of targets) watchAbort(signal, each);
      for (const index of order) for (const each of targets.slice(index, index + 1)) unwatchAbort(signal, each);
      expect(listeners()).toBe(0);
      const late = target("late");
      watchAbort(signal, late);
      // It is nobody's who is not there.
      for (const each of targets) unwatchAbort(signal, each);
      expect(listeners()).toBe(1);
      controller.abort("gone");
      expect(heard).toEqual(["late: gone"]);
    }
  });

  it("does not tell those whom another one takes along", () => {
    const { controller, signal, heard, target } = world();
    const b = target("b");
    const c = target("c");
    watchAbort(
      signal,
      target("a", () => unwatchAbort(signal, b)),
    );
    watchAbort(signal, b);
    watchAbort(signal, c);
    controller.abort("gone");
    expect(heard).toEqual(["a: gone", "c: gone"]);
  });

  it("does not tell those whom a later one takes along", () => {
    const { controller, signal, heard, target, listeners } = world();
    const c = target("c");
    for (const each of [target("a"), target("b", () => unwatchAbort(signal, c)), c]) watchAbort(signal, each);
    controller.abort("gone");
    expect(heard).toEqual(["a: gone", "b: gone"]);
    expect(listeners()).toBe(0);
  });

  it("keeps the watches of two signals apart", () => {
    const [one, other] = [world(), world()];
    const target = one.target("both");
    watchAbort(one.signal, target);
    watchAbort(other.signal, target);
    unwatchAbort(other.signal, target);
    other.controller.abort("other");
    one.controller.abort("one");
    expect(one.heard).toEqual(["both: one"]);
  });
});
