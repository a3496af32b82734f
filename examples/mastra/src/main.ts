import { Agent } from "@mastra/core/agent";
import { toMastraTools } from "@mcp-pool/agent-adapter/mastra";
import { tellStory } from "agent-story";
import { asMastraModel, scriptedModel, told } from "./scripted-model.ts";

/** An agent of Mastra: tools of both servers go into the agent, as any tools do. */
await tellStory("Mastra", async (servers) => {
  const tools = await toMastraTools(servers);
  return {
    toolNames: Object.keys(tools),
    async run(calls, signal) {
      const model = scriptedModel(calls);
      const settings = { id: "agent", name: "agent", instructions: "Go on.", tools };
      const agent = new Agent({ ...settings, model: asMastraModel(model) });
      await agent.generate("Go on.", { abortSignal: signal, maxSteps: 2 });
      return told(model);
    },
  };
});
