import { setTimeout as delay } from "node:timers/promises";
import type { CallToolResult, ToolAnnotations } from "@modelcontextprotocol/sdk/types.js";
import { RpcError } from "../rpc-error.ts";
import { garbageOf, hostProcessOf } from "./process-tools.ts";
import { inputs, json, type ScriptedTool, type ToolCall, text } from "./scripted-tool.ts";
import { untilCancelled } from "./waiting-tools.ts";

const MISBEHAVIOURS = [
  "crash",
  "exit",
  "freeze",
  "close-stdout",
  "line",
  "half-line",
  "flood",
  "hang",
  "fail",
  "throw",
] as const;

const counts: ScriptedTool = {
  definition: {
    name: "counts",
    description: "Answers the executions this process counted, by key.",
    inputSchema: inputs({}),
    annotations: { readOnlyHint: true },
  },
  run: ({ session }) => json({ counts: session.backend.ledger.counts() }),
};

/** Tools that count their executions by key: the same work, with and without a promise that it may be repeated. */
export const countingTools: readonly ScriptedTool[] = [
  counting("count"),
  counting("count-idempotent", { idempotentHint: true }),
  counting("count-read-only", { readOnlyHint: true }),
  counts,
];

function counting(name: string, annotations?: ToolAnnotations): ScriptedTool {
  const inputSchema = inputs(
    {
      key: { type: "string" },
      delayMs: { type: "number" },
      misbehave: { enum: MISBEHAVIOURS },
      misbehaveTimes: { type: "integer" },
    },
    ["delayMs", "misbehave", "misbehaveTimes"],
  );
  const description = "Counts this execution under the key; the first ones may misbehave half-way.";
  return { definition: { name, description, inputSchema, ...(annotations && { annotations }) }, run: count };
}

async function count(call: ToolCall): Promise<CallToolResult> {
  const { given, extra, session } = call;
  const key = given.text("key");
  const { ledger } = session.backend;
  ledger.start(key);
  await delay(given.number("delayMs", 0), undefined, { signal: extra.signal });
  if (given.has("misbehave") && ledger.startsOf(key) <= given.number("misbehaveTimes", Number.MAX_SAFE_INTEGER)) {
    return misbehave(call);
  }
  ledger.end(key);
  return text(String(ledger.startsOf(key)));
}

function misbehave(call: ToolCall): CallToolResult | Promise<CallToolResult> {
  const kind = call.given.oneOf("misbehave", MISBEHAVIOURS);
  switch (kind) {
    case "crash":
      hostProcessOf(call).kill("SIGKILL");
      return untilCancelled(call.extra.signal);
    case "exit":
      hostProcessOf(call).exit(0);
      return untilCancelled(call.extra.signal);
    case "freeze":
      hostProcessOf(call).kill("SIGSTOP");
      return untilCancelled(call.extra.signal);
    case "close-stdout":
      hostProcessOf(call).closeStdout();
      return untilCancelled(call.extra.signal);
    case "line":
    case "half-line":
    case "flood":
      // What is written beside the answer; half a line swallows it.
      hostProcessOf(call).writeStdout(garbageOf(kind));
      return text("counted");
    case "hang":
      return untilCancelled(call.extra.signal);
    case "fail":
      return { ...text("failed half-way"), isError: true };
    case "throw":
      throw new RpcError(-32_000, "thrown half-way");
  }
}
