import { MockLanguageModelV4 } from "ai/test";

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

/** Stands in for a model: calls the tool whose name ends in `echo`, then repeats what that answered. */
export const model: MockLanguageModelV4 = new MockLanguageModelV4({
  doGenerate: async ({ prompt, tools = [] }) => {
    const last = prompt.at(-1);
    if (last?.role === "tool") {
      const text = JSON.stringify(last.content).match(/Echo: \w+/)?.[0] ?? "nothing";
      return { content: [{ type: "text", text }], finishReason: { unified: "stop", raw: "stop" }, usage, warnings: [] };
    }
    const toolName = tools.find(({ name }) => name.endsWith("echo"))?.name ?? "no echo";
    const input = JSON.stringify({ message: "hi" });
    return {
      content: [{ type: "tool-call", toolCallId: "1", toolName, input }],
      finishReason: { unified: "tool-calls", raw: "tool-calls" },
      usage,
      warnings: [],
    };
  },
});
