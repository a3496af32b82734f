import type { Model, ModelRequest } from "@openai/agents";
import { assistantMessage, functionCall, modelResponder, ScriptedModel } from "@openai/agents/testing";

/** Stands in for a model: calls the tool whose name ends in `echo`, then repeats what that answered. */
export const model: Model = new ScriptedModel(
  Array.from({ length: 100 }, () => modelResponder(({ request }) => [answer(request)])),
);

function answer({ input, tools }: ModelRequest) {
  const last = typeof input === "string" ? undefined : input.at(-1);
  if (last?.type === "function_call_result") {
    return assistantMessage(JSON.stringify(last.output).match(/Echo: \w+/)?.[0] ?? JSON.stringify(last.output));
  }
  const name = tools.map((tool) => tool.name).find((each) => each.endsWith("echo")) ?? "no echo";
  return functionCall(name, { message: "hi" }, { callId: "1" });
}
