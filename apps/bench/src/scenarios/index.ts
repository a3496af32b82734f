import type { Scenario } from "../scenario.ts";
import { scenarios as longQueues } from "./a-long-queues.ts";
import { scenarios as plainObjects } from "./a-plain-objects.ts";
import { scenarios as toolCalls } from "./b-tool-calls.ts";
import { scenarios as whatPeopleDo } from "./c-what-people-do.ts";
import { scenarios as scaleAndRecovery } from "./d-scale-and-recovery.ts";
import { scenarios as scale } from "./s-scale.ts";

/** A scenario and the module a cell has to load for it. */
export interface ListedScenario {
  readonly moduleUrl: string;
  readonly scenario: Scenario;
}

/** Every scenario, in the order of the report. */
export const scenarios: readonly ListedScenario[] = [
  ...listed("./a-plain-objects.ts", plainObjects),
  ...listed("./a-long-queues.ts", longQueues),
  ...listed("./b-tool-calls.ts", toolCalls),
  ...listed("./c-what-people-do.ts", whatPeopleDo),
  ...listed("./d-scale-and-recovery.ts", scaleAndRecovery),
  ...listed("./s-scale.ts", scale),
];

function listed(path: string, all: readonly Scenario[]): ListedScenario[] {
  const moduleUrl = new URL(path, import.meta.url).href;
  return all.map((scenario) => ({ moduleUrl, scenario }));
}
