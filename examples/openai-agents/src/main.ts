import { toOpenAiMcpServer } from "@mcp-pool/agent-adapter/openai-agents";
import { Agent, run, setTracingDisabled } from "@openai/agents";
import { tellStory } from "agent-story";
import { ScriptedModel } from "./scripted-model.ts";

setTracingDisabled(true);

/** An agent of the OpenAI Agents SDK: pooled tools are MCP servers to it, which it may connect and close as it likes. */
await tellStory("OpenAI Agents SDK", async (tools) => {
  const mcpServers = tools.map((each) => toOpenAiMcpServer(each));
  const lists = await Promise.all(mcpServers.map((server) => server.listTools()));
  return {
    toolNames: lists.flat().map(({ name }) => name),
    async run(calls, signal) {
      const model = new ScriptedModel(calls);
      await run(new Agent({ name: "agent", model, mcpServers }), "Go on.", { signal });
      return model.told;
    },
  };
});
