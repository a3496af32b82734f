import type { Scenario } from "../scenario.ts";
import { uncontended } from "./a1-uncontended.ts";
import { contended } from "./a2-contended.ts";
import { manyCallsAtATime } from "./b1-64-calls-at-a-time.ts";
import { oneCallAtATime } from "./b1-one-call-at-a-time.ts";
import { connectPerCallScenario } from "./c1-connect-per-call.ts";

/** Every scenario, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  uncontended,
  contended,
  oneCallAtATime,
  manyCallsAtATime,
  connectPerCallScenario,
];
