import { parseArgs } from "node:util";
import { checkModel } from "./check-model.ts";
import { INVARIANTS, type Invariant } from "./invariants.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10000" }, seed: { type: "string" } } });
const runs = Number(values.runs);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(runs >= 1) || !Number.isInteger(seed)) throw new Error("usage: npm run test:model -- --runs N --seed S");

console.log(`${runs} random programs, seed ${seed}`);
const startedAt = performance.now();
try {
  const { commands, invariants } = await checkModel(runs, seed);
  console.log(`\nCommands run`);
  for (const [name, count] of [...commands].sort(([, a], [, b]) => b - a))
    console.log(`${String(count).padStart(10)}  ${name}`);
  console.log(`\nInvariants checked`);
  for (const name of Object.keys(INVARIANTS) as Invariant[]) {
    console.log(`${String(invariants.get(name)).padStart(10)}  ${name.padEnd(3)} ${INVARIANTS[name]}`);
  }
  console.log(`\nAll held, in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s (seed ${seed})`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
