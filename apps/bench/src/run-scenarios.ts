import type { ScenarioResult } from "./measurement.ts";
import { runCell } from "./run-cell.ts";
import type { ListedScenario } from "./scenarios/index.ts";

/** How thoroughly to measure. */
export interface Thoroughness {
  readonly rounds: number;
  /** Part of each scenario's budget. */
  readonly share: number;
  /** Leaves out what takes long. */
  readonly isQuick: boolean;
  /** Is told of each cell before it runs. */
  readonly onCell: (done: number, total: number, what: string) => void;
}

/** Measures scenarios in rounds; each cell is a process, and their order is another one in each round. */
export async function runScenarios(
  scenarios: readonly ListedScenario[],
  { rounds, share, isQuick, onCell }: Thoroughness,
): Promise<readonly ScenarioResult[]> {
  const wanted = scenarios.filter(({ scenario }) => !isQuick || scenario.fullOnly !== "all");
  const cells = wanted.flatMap(({ moduleUrl, scenario }) =>
    Object.keys(scenario.contenders)
      .filter((contender) => !isQuick || !scenario.fullOnly.includes(contender))
      .map((contender) => ({ moduleUrl, scenario, contender, rounds: [] as number[] })),
  );
  const total = rounds * cells.length;
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const cell of shuffled(cells)) {
      onCell(done++, total, `${cell.scenario.id}, ${cell.contender}`);
      cell.rounds.push(await runCell(cell.moduleUrl, cell.scenario, cell.contender, cell.scenario.budgetMs * share));
    }
  }
  return wanted.map(({ scenario }) => {
    const { id, title, unit, baseline, targets, notes } = scenario;
    const own = cells.filter((cell) => cell.scenario === scenario);
    const measurements = own.map(({ contender, rounds: figures }) => ({ contender, rounds: figures }));
    // A target that compares with somebody who was left out says nothing.
    const names = new Set(own.map(({ contender }) => contender));
    const known = targets.filter(({ contender, against }) => [contender, ...against].every((each) => names.has(each)));
    return { id, title, unit, baseline, measurements, targets: known, notes };
  });
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
