import type { Scenario } from "./scenario.ts";

/** Measures one contender, in a process of its own: `node --expose-gc cell.ts <module> <scenario> <contender> <ms>`. */
const [, , moduleUrl = "", id = "", name = "", budgetMs] = process.argv;
const { scenarios } = (await import(moduleUrl)) as { readonly scenarios: readonly Scenario[] };
const contender = scenarios.find((each) => each.id === id)?.contenders[name];
if (contender === undefined) throw new Error(`there is no contender "${name}" in scenario ${id}`);
const figure = await contender(Number(budgetMs));
// A peer that was closed may keep timers; the figure is there.
process.stdout.write(JSON.stringify({ figure }), () => process.exit(0));
