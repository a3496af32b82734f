import fc from "fast-check";
import { expect, test } from "vitest";
import { DeadlineWheel, Timeout } from "./deadline-wheel.ts";
import { FakeClock } from "./testing/fake-clock.ts";

type Step =
  | { readonly do: "set"; readonly index: number; readonly inMs: number }
  | { readonly do: "remove"; readonly index: number }
  | { readonly do: "advance"; readonly ms: number };

const DEADLINES = 8;
const index = fc.nat(DEADLINES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("set" as const), index, inMs: fc.integer({ min: -2, max: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(4) }) },
);

test("each deadline fires once, in the millisecond in which it ends, unless it was moved or taken out", async () => {
  const run = async (steps: readonly Step[]) => {
    const clock = new FakeClock();
    const wheel = new DeadlineWheel(clock);
    const fired: string[] = [];
    const wanted: string[] = [];
    const endsAt = new Map<number, number>();
    const deadlines = Array.from({ length: DEADLINES }, (_, each) => {
      return new Timeout(() => fired.push(`${each} at ${clock.now()}`));
    });
    const advance = async (ms: number) => {
      const until = clock.now() + ms;
      for (const [each, at] of endsAt) {
        if (at > until) continue;
        wanted.push(`${each} at ${Math.max(at, clock.now())}`);
        endsAt.delete(each);
      }
      await clock.advance(ms);
      expect(fired.toSorted()).toEqual(wanted.toSorted());
    };
    for (const each of steps) {
      if (each.do === "advance") {
        await advance(each.ms);
        continue;
      }
      const deadline = deadlines[each.index] ?? expect.unreachable();
      if (each.do === "set") {
        wheel.set(deadline, clock.now() + each.inMs);
        endsAt.set(each.index, clock.now() + each.inMs);
      } else {
        wheel.remove(deadline);
        endsAt.delete(each.index);
      }
      expect(clock.pending.some(({ isRef }) => isRef)).toBe(endsAt.size > 0);
    }
    await advance(10);
    expect(endsAt.size).toBe(0);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), run), { numRuns: 300 });
});

test("a wheel that thousands have passed through keeps nothing of them", async () => {
  const clock = new FakeClock();
  const wheel = new DeadlineWheel(clock);
  const fired: number[] = [];
  for (let turn = 0; turn < 5_000; turn++) {
    const passing = new Timeout(() => fired.push(turn));
    wheel.set(passing, clock.now() + 100 + turn);
    const staying = new Timeout(() => fired.push(-1));
    if (turn === 2_500) wheel.set(staying, clock.now() + 50);
    wheel.remove(passing);
  }
  await clock.advance(10_000);
  expect(fired).toEqual([-1]);
  expect(clock.pending).toEqual([]);
});
