import { ratio } from "./figures.ts";
import { median, ratiosByRound, type ScenarioResult } from "./measurement.ts";

/** What is allowed on top of the noise seen in both runs. */
const TOLERANCE = 1.15;

/**
 * Compares two runs, each with its own reference, and describes what has become worse beyond noise: the ratios of all
 * rounds are above those of all rounds before, and their median by more than 15 %. Figures alone say nothing on another machine.
 */
export function regressions(before: readonly ScenarioResult[], now: readonly ScenarioResult[]): readonly string[] {
  return now.flatMap((result) => {
    const earlier = before.find(({ id }) => id === result.id);
    if (earlier === undefined) return [];
    return result.measurements.flatMap(({ contender }) => {
      if (!/mcp-pool/.test(contender) || contender === result.baseline) return [];
      const old = ratiosByRound(earlier, contender, result.baseline);
      const fresh = ratiosByRound(result, contender, result.baseline);
      const [least = Number.NaN] = fresh;
      const most = old.at(-1) ?? Number.NaN;
      const isWorse = least > most && median(fresh) > median(old) * TOLERANCE;
      const figures = `${ratio(median(fresh))} × ${result.baseline}, ${ratio(median(old))} × before`;
      return isWorse ? [`${result.id}, ${contender}: ${figures}`] : [];
    });
  });
}
