import type { Scenario } from "./scenario.ts";

/** Measures one contender in one scenario, in a process of its own: `node --expose-gc cell.ts <module> <contender> <ms>`. */
const [, , moduleUrl = "", name = "", budgetMs] = process.argv;
const { scenario } = (await import(moduleUrl)) as { readonly scenario: Scenario };
const contender = scenario.contenders[name];
if (contender === undefined) throw new Error(`there is no contender "${name}" in scenario ${scenario.id}`);
process.stdout.write(JSON.stringify({ nanoseconds: await contender(Number(budgetMs)) }));
