import { answeringTools } from "./answering-tools.ts";
import { askingTools } from "./asking-tools.ts";
import { changingTools } from "./changing-tools.ts";
import { countingTools } from "./counting-tools.ts";
import { notifyingTools } from "./notifying-tools.ts";
import { processTools } from "./process-tools.ts";
import type { ScriptedTool } from "./scripted-tool.ts";
import { sessionTools } from "./session-tools.ts";
import { waitingTools } from "./waiting-tools.ts";

/** Lists the tools every server begins with. */
export const allTools: readonly ScriptedTool[] = [
  ...answeringTools,
  ...waitingTools,
  ...countingTools,
  ...sessionTools,
  ...notifyingTools,
  ...askingTools,
  ...changingTools,
  ...processTools,
];
