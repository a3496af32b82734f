import { scenarios } from "./scenarios/index.ts";

/** Measures one contender in one scenario, in a process of its own: `node --expose-gc cell.ts <scenario> <contender> <ms>`. */
const [, , id, name, budgetMs] = process.argv;
const contender = scenarios.find((scenario) => scenario.id === id)?.contenders[name ?? ""];
if (contender === undefined) throw new Error(`there is no contender "${name}" in a scenario "${id}"`);
process.stdout.write(JSON.stringify({ nanoseconds: await contender(Number(budgetMs)) }));
