import { describe, expect, test } from "vitest";
import { McpConfigurationError } from "../src/index.ts";
import { waitingOf } from "../src/sizing/erlang-c.ts";
import { explainPoolSize } from "../src/sizing/index.ts";

describe("the size of a pool", () => {
  test("follows from the calls in flight, by Little's law", () => {
    expect(explainPoolSize({ callsPerSecond: 40, callMs: 500 }).callsInFlight).toBe(20);
  });

  test("is the least at which few enough calls wait", () => {
    const size = explainPoolSize({ callsPerSecond: 40, callMs: 500, waitingShare: 0.05 });
    expect(size.waitingShare).toBeLessThanOrEqual(0.05);
    expect(waitingOf(20, size.connections - 1)).toBeGreaterThan(0.05);
  });

  test("agrees with Erlang's formula C as it is written in textbooks, a quotient of sums", () => {
    expect(waitingOf(20, 24)).toBeCloseTo(0.298_072_3, 7);
    expect(waitingOf(20, 30)).toBeCloseTo(0.024_950_5, 7);
    expect(waitingOf(0.5, 1)).toBeCloseTo(0.5, 10);
    expect(waitingOf(1, 2)).toBeCloseTo(1 / 3, 10);
  });

  test("says that all wait where more comes in than goes out", () => {
    expect([waitingOf(3, 3), waitingOf(4, 3)]).toEqual([1, 1]);
  });

  test("counts the calls that one connection carries at a time", () => {
    const exclusive = explainPoolSize({ callsPerSecond: 200, callMs: 100 });
    const shared = explainPoolSize({ callsPerSecond: 200, callMs: 100, requestsPerConnection: 16 });
    expect(exclusive.connections).toBeGreaterThan(20);
    expect(shared.connections).toBe(2);
    expect(shared.utilisation).toBe(20 / 32);
  });

  test("knows what waiting costs, and the memory", () => {
    const size = explainPoolSize({ callsPerSecond: 1, callMs: 500, waitingShare: 0.6, memoryPerConnection: 1_048_576 });
    // One server at half load: half of the calls wait, and each call waits as long as it takes, on average.
    expect(size).toMatchObject({ connections: 1, utilisation: 0.5, memory: 1_048_576 });
    expect(size.waitingShare).toBeCloseTo(0.5, 10);
    expect(size.meanWaitMs).toBeCloseTo(500, 8);
  });

  test("explains itself in figures", () => {
    const load = { callsPerSecond: 40, callMs: 500, memoryPerConnection: 67_108_864 };
    expect(explainPoolSize(load).explanation).toEqual([
      "40 calls per second of 500 ms each are 20 calls in flight on average (Little's law).",
      "29 connection(s) of 1 call(s) each have room for 29, of which 69 % is in use on average.",
      "4.01 % of the calls find all room taken, and a call waits 2.23 ms on average (Erlang C, arrivals at random); asked for: at most 5 %.",
      "They take 1860 MiB of memory when all are open.",
    ]);
  });

  test("is refused for loads that mean nothing, all at once", () => {
    const bad = {
      callsPerSecond: 0,
      callMs: Number.NaN,
      requestsPerConnection: 1.5,
      waitingShare: 1,
      memoryPerConnection: -1,
    };
    const run = () => explainPoolSize(bad);
    expect(run).toThrow(McpConfigurationError);
    expect(run).toThrow(
      /callsPerSecond: must be a number above 0, not 0.*callMs.*requestsPerConnection.*waitingShare.*memoryPerConnection/,
    );
  });

  test("is refused for more calls than any pool could carry", () => {
    expect(() => explainPoolSize({ callsPerSecond: 1e6, callMs: 1e6 })).toThrow(/at most 100000 calls in flight/);
  });
});
