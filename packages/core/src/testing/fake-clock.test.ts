import { describe, expect, it } from "vitest";
import { FakeClock } from "./fake-clock.ts";

describe("FakeClock", () => {
  it("stands still until it is told to go on", async () => {
    const clock = new FakeClock({ now: 5, epochMs: 1_000_000 });
    await clock.settle();
    expect([clock.now(), clock.epochMs()]).toEqual([5, 1_000_000]);
    await clock.advance(10);
    expect([clock.now(), clock.epochMs()]).toEqual([15, 1_000_010]);
  });

  it("fires timers in order, each at its own time, those of one time as they were set", async () => {
    const clock = new FakeClock({ now: 0 });
    const fired: string[] = [];
    const set = (name: string, delayMs: number) => clock.setTimer(() => fired.push(`${name}@${clock.now()}`), delayMs);
    set("c", 20);
    set("a", 10);
    set("b", 10);
    set("late", 31);
    set("past", -5);
    await clock.advance(30);
    expect(fired).toEqual(["past@0", "a@10", "b@10", "c@20"]);
    expect(clock.now()).toBe(30);
  });

  it("runs everything that is ready between two timers, and fires what that starts", async () => {
    const clock = new FakeClock({ now: 0 });
    const seen: string[] = [];
    clock.setTimer(() => {
      const chain = async () => {
        for (let turn = 0; turn < 100; turn++) await undefined;
        seen.push(`chain@${clock.now()}`);
        clock.setTimer(() => seen.push(`nested@${clock.now()}`), 5);
      };
      void chain();
    }, 10);
    clock.setTimer(() => seen.push(`second@${clock.now()}`), 20);
    await clock.advance(20);
    expect(seen).toEqual(["chain@10", "nested@15", "second@20"]);
  });

  it("lists the timers that are live, and whether they keep the process alive", () => {
    const clock = new FakeClock({ now: 0 });
    clock.setTimer(() => {}, 20).unref();
    const first = clock.setTimer(() => {}, 10);
    clock.setTimer(() => {}, 5).cancel();
    expect(clock.pending).toEqual([
      { dueAt: 10, isRef: true },
      { dueAt: 20, isRef: false },
    ]);
    first.unref();
    first.ref();
    expect(clock.pending[0]?.isRef).toBe(true);
  });

  it("returns the chance it was given, the last one for ever", () => {
    const clock = new FakeClock();
    expect(clock.random()).toBe(0.5);
    clock.setRandom(0.1, 0.9);
    expect([clock.random(), clock.random(), clock.random()]).toEqual([0.1, 0.9, 0.9]);
  });

  it("reports timers of no delay that start each other for ever", async () => {
    const clock = new FakeClock();
    const again = () => void clock.setTimer(again, 0);
    again();
    await expect(clock.advance(1)).rejects.toThrow("for ever");
  });
});
