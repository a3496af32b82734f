import type { MastraModelConfig } from "@mastra/core/llm";
import type { CallInStory } from "agent-story";
import { MockLanguageModelV4 } from "ai/test";

/** A model that calls these tools in its first step, and ends in the second. */
export function scriptedModel(calls: readonly CallInStory[]): MockLanguageModelV4 {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  };
  const content = (isFirst: boolean) =>
    isFirst
      ? calls.map(({ name, args }, index) => {
          return { type: "tool-call", toolCallId: `${index}`, toolName: name, input: JSON.stringify(args) } as const;
        })
      : [{ type: "text", text: "Done." } as const];
  const model: MockLanguageModelV4 = new MockLanguageModelV4({
    doGenerate: async () => {
      const isFirst = model.doGenerateCalls.length === 1;
      const finishReason = { unified: isFirst ? "tool-calls" : "stop", raw: undefined } as const;
      return { content: content(isFirst), finishReason, usage, warnings: [] };
    },
    doStream: async () => {
      throw new Error("this model does not stream");
    },
  });
  return model;
}

/** What the model was told of each call before its last step. */
export function told(model: MockLanguageModelV4): readonly string[] {
  const results = model.doGenerateCalls.at(-1)?.prompt.flatMap(({ role, content }) => (role === "tool" ? content : []));
  return (results ?? []).map((result) => JSON.stringify(result));
}

/** Mastra takes models of this very specification, but types them by its own copy of it, of another minor version. */
export function asMastraModel(model: MockLanguageModelV4): MastraModelConfig {
  return model as unknown as MastraModelConfig;
}
