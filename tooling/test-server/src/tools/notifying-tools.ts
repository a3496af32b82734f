import { setTimeout as delay } from "node:timers/promises";
import type { LoggingLevel } from "@modelcontextprotocol/sdk/types.js";
import { inputs, type ScriptedTool, text } from "./scripted-tool.ts";

const LEVELS = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const satisfies readonly LoggingLevel[];

const progress: ScriptedTool = {
  definition: {
    name: "progress",
    description: "Reports progress in steps, to a client that asked for it.",
    inputSchema: inputs({ steps: { type: "integer" }, delayMs: { type: "number" } }, ["delayMs"]),
  },
  run: async ({ given, extra }) => {
    const steps = given.number("steps");
    const progressToken = extra._meta?.progressToken;
    for (let step = 1; step <= steps; step += 1) {
      await delay(given.number("delayMs", 0), undefined, { signal: extra.signal });
      if (progressToken === undefined) continue;
      const params = { progressToken, progress: step, total: steps, message: `step ${step}` };
      await extra.sendNotification({ method: "notifications/progress", params });
    }
    return text(`took ${steps} steps`);
  },
};

const log: ScriptedTool = {
  definition: {
    name: "log",
    description:
      "Logs, beside the answer; with `standalone`, on the session's own stream and only from the level the client set.",
    inputSchema: inputs({ message: { type: "string" }, level: { enum: LEVELS }, standalone: { type: "boolean" } }, [
      "level",
      "standalone",
    ]),
  },
  run: async ({ given, extra, session }) => {
    const params = { level: given.oneOf("level", LEVELS, "info"), logger: "test-server", data: given.text("message") };
    if (given.flag("standalone")) await session.server.sendLoggingMessage(params, extra.sessionId);
    else await extra.sendNotification({ method: "notifications/message", params });
    return text("logged");
  },
};

/** Tools that send notifications beside their answer. */
export const notifyingTools: readonly ScriptedTool[] = [progress, log];
