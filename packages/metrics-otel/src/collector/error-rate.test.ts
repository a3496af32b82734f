import { expect, it } from "vitest";
import { ErrorRate } from "./error-rate.ts";

it("says nothing below ten requests", () => {
  const rate = new ErrorRate();
  for (let request = 0; request < 9; request++) rate.record(1_000, true);
  expect(rate.percent(1_000)).toBe(0);
  rate.record(1_000, false);
  expect(rate.percent(1_000)).toBe(90);
});

it("forgets what is more than five minutes ago, and nothing that is clearly less", () => {
  const rate = new ErrorRate();
  for (let request = 0; request < 20; request++) rate.record(5_000, request % 2 === 0);
  expect(rate.percent(289_000)).toBe(50);
  for (let request = 0; request < 20; request++) rate.record(290_000, false);
  expect(rate.percent(290_000)).toBe(25);
  expect(rate.percent(310_000)).toBe(0);
  expect(rate.percent(10_000_000)).toBe(0);
});

it("slides along with time, however seldom it is asked", () => {
  const rate = new ErrorRate();
  for (let now = 0; now < 3_600_000; now += 1_000) rate.record(now, now < 1_800_000);
  expect(rate.percent(3_599_000)).toBe(0);
  rate.reset();
  expect(rate.percent(3_599_000)).toBe(0);
});
