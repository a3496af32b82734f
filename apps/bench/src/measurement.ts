import type { Scenario, Target } from "./scenario.ts";

/** All rounds of one contender in one scenario; times are nanoseconds per operation. */
export interface Measurement {
  readonly contender: string;
  readonly rounds: number[];
}

/** All contenders of one scenario. */
export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly measurements: readonly Measurement[];
}

/** Returns the middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [upper = Number.NaN, lower = Number.NaN] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}

/** Returns how many times the median of the fastest of some contenders the median of one is. */
export function ratioTo({ measurements }: ScenarioResult, contender: string, others: readonly string[]): number {
  const medianOf = (name: string) => median(measurements.find((each) => each.contender === name)?.rounds ?? []);
  return medianOf(contender) / Math.min(...others.map(medianOf));
}

/** Returns the ratio that a target is about. */
export function ratioOf(result: ScenarioResult, { contender, against }: Target): number {
  return ratioTo(result, contender, against);
}
