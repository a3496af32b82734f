import { toAiSdkTools } from "@mcp-pool/agent-adapter/ai-sdk";
import { tellStory } from "agent-story";
import { generateText, stepCountIs } from "ai";
import { scriptedModel, told } from "./scripted-model.ts";

/** An agent of the AI SDK: tools of both servers go into `generateText`, as any tools do. */
await tellStory("AI SDK", async (servers) => {
  const tools = await toAiSdkTools(servers);
  return {
    toolNames: Object.keys(tools),
    async run(calls, signal) {
      const model = scriptedModel(calls);
      await generateText({ model, tools, prompt: "Go on.", stopWhen: stepCountIs(2), abortSignal: signal });
      return told(model);
    },
  };
});
