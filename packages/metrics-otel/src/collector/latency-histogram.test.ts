import { expect, it } from "vitest";
import { LatencyHistogram } from "./latency-histogram.ts";

/** A generator of numbers in [0, 1) that is the same each time. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it.each([
  ["spread evenly", (random: () => number) => random() * 500],
  ["as short as they are measured", (random: () => number) => 0.05 + random()],
  ["of any magnitude", (random: () => number) => 0.05 * 10 ** (random() * 7)],
  ["with a long tail", (random: () => number) => 1 / (1e-4 + random())],
  ["all the same", () => 7.5],
])("percentiles of latencies %s are within 5 %% of the true ones", (_, draw) => {
  for (const seed of [1, 2, 3]) {
    const random = randoms(seed);
    const histogram = new LatencyHistogram();
    const all = Array.from({ length: 10_000 }, () => draw(random));
    for (const each of all) histogram.record(each);
    all.sort((one, other) => one - other);
    const truth = (part: number) => all[Math.ceil(part * all.length) - 1] ?? Number.NaN;
    const { count, avgMs, p50Ms, p95Ms, p99Ms, maxMs } = histogram.timing();
    expect(count).toBe(10_000);
    expect(maxMs).toBe(all.at(-1));
    expect(avgMs).toBeCloseTo(all.reduce((sum, each) => sum + each, 0) / 10_000, 3);
    for (const [found, part] of [
      [p50Ms, 0.5],
      [p95Ms, 0.95],
      [p99Ms, 0.99],
    ] as const) {
      expect(Math.abs(found / truth(part) - 1), `percentile ${part} is ${found}, not ${truth(part)}`).toBeLessThan(
        0.05,
      );
    }
  }
});

it("nothing measured is zero everywhere, also after a reset", () => {
  const histogram = new LatencyHistogram();
  const zero = { count: 0, avgMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 };
  expect(histogram.timing()).toEqual(zero);
  histogram.record(12);
  histogram.record(1e9);
  expect(histogram.timing()).toMatchObject({ count: 2, maxMs: 1e9, p99Ms: 1e9 });
  histogram.reset();
  expect(histogram.timing()).toEqual(zero);
});

it("what was served at once counts as no time", () => {
  const histogram = new LatencyHistogram();
  for (let each = 0; each < 100; each++) histogram.record(0);
  histogram.record(40);
  expect(histogram.timing()).toMatchObject({ p50Ms: 0, p99Ms: 0, maxMs: 40 });
});
