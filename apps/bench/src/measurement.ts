import type { Scenario, Target } from "./scenario.ts";

/** All rounds of one contender in one scenario, in the unit of the scenario. */
export interface Measurement {
  readonly contender: string;
  readonly rounds: readonly number[];
}

/** What is kept of a scenario, in JSON. */
export interface ScenarioResult extends Pick<Scenario, "id" | "title" | "unit" | "baseline" | "targets" | "notes"> {
  readonly measurements: readonly Measurement[];
}

/** Returns the middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [upper = Number.NaN, lower = Number.NaN] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}

/** Returns how many times the median of the best of some contenders the median of one is. */
export function ratioTo({ measurements }: ScenarioResult, contender: string, others: readonly string[]): number {
  const medianOf = (name: string) => median(roundsOf(measurements, name));
  const known = others.map(medianOf).filter((each) => !Number.isNaN(each));
  return known.length === 0 ? Number.NaN : medianOf(contender) / Math.min(...known);
}

/** Returns the figure that a target bounds: a ratio, or with nobody to compare with the median itself. */
export function figureOf(result: ScenarioResult, { contender, against }: Target): number {
  return against.length === 0 ? median(roundsOf(result.measurements, contender)) : ratioTo(result, contender, against);
}

/** Returns the ratios of one contender to another, round by round, sorted; each round is measured within minutes. */
export function ratiosByRound({ measurements }: ScenarioResult, contender: string, other: string): readonly number[] {
  const others = roundsOf(measurements, other);
  return roundsOf(measurements, contender)
    .map((figure, round) => figure / (others[round] ?? Number.NaN))
    .sort((a, b) => a - b);
}

function roundsOf(measurements: readonly Measurement[], name: string): readonly number[] {
  return measurements.find((each) => each.contender === name)?.rounds ?? [];
}
