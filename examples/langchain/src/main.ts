import { toLangChainTools } from "@mcp-pool/agent-adapter/langchain";
import { tellStory } from "agent-story";
import { createAgent } from "langchain";
import { ScriptedModel, told } from "./scripted-model.ts";

/** An agent of LangChain: tools of both servers go into `createAgent`, as any tools do. */
await tellStory("LangChain", async (servers) => {
  const tools = await toLangChainTools(servers);
  return {
    toolNames: tools.map(({ name }) => name),
    async run(calls, signal) {
      const agent = createAgent({ model: new ScriptedModel(calls), tools });
      const { messages } = await agent.invoke({ messages: [{ role: "user", content: "Go on." }] }, { signal });
      return told(messages);
    },
  };
});
