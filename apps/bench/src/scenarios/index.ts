import type { Scenario } from "../scenario.ts";
import { scenario as uncontended } from "./a1-uncontended.ts";
import { scenario as contended } from "./a2-contended.ts";
import { scenario as manyCallsAtATime } from "./b1-64-calls-at-a-time.ts";
import { scenario as oneCallAtATime } from "./b1-one-call-at-a-time.ts";
import { scenario as connectPerCall } from "./c1-connect-per-call.ts";

/** Every scenario, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  uncontended,
  contended,
  oneCallAtATime,
  manyCallsAtATime,
  connectPerCall,
];
