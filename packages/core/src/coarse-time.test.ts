import { expect, test } from "vitest";
import { coarseTime } from "./coarse-time.ts";
import { FakeClock } from "./testing/fake-clock.ts";

function coarse() {
  const clock = new FakeClock();
  let looks = 0;
  const now = () => {
    looks++;
    return clock.now();
  };
  const read = coarseTime({ now, setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs) });
  return { clock, read, looks: () => looks };
}

test("coarse time looks the clock up once for many reads, and lags by 50 ms at the most", async () => {
  const { clock, read, looks } = coarse();
  const startedAt = read();
  expect(startedAt).toBe(clock.now());
  await clock.advance(49);
  expect([read(), looks()]).toEqual([startedAt, 1]);
  await clock.advance(1);
  expect([read(), looks()]).toEqual([startedAt + 50, 2]);
});

test("coarse time keeps no process alive, and asks for no timer while nobody reads it", async () => {
  const { clock, read } = coarse();
  read();
  expect(clock.pending.map(({ isRef }) => isRef)).toEqual([false]);
  await clock.advance(50);
  expect(clock.pending).toEqual([]);
});

test("coarse time goes on though its timer was lost, as with the fake timers of a test", () => {
  let time = 0;
  const lost = { cancel: () => {}, ref: () => {}, unref: () => {} };
  const read = coarseTime({ now: () => ++time, setTimer: () => lost });
  const reads = Array.from({ length: 10_000 }, () => read());
  expect(reads.at(-1)).toBeGreaterThan(5);
});
