import Anthropic from "@anthropic-ai/sdk";
import { toAnthropicTools } from "@mcp-pool/agent-adapter/anthropic";
import { tellStory } from "agent-story";
import { startScriptedApi } from "./scripted-api.ts";

const api = await startScriptedApi();
const client = new Anthropic({ baseURL: api.url, apiKey: "none", maxRetries: 0 });

/** An agent of Anthropic's SDK: tools of both servers go into the tool runner, as any tools do. */
try {
  await tellStory("Anthropic SDK", async (servers) => {
    const tools = await toAnthropicTools(servers);
    return {
      toolNames: tools.map((tool) => ("name" in tool ? tool.name : "")),
      async run(calls, signal) {
        api.calls = calls;
        const messages = [{ role: "user" as const, content: "Go on." }];
        await client.beta.messages.toolRunner({ model: "scripted", max_tokens: 100, messages, tools }, { signal });
        return api.told;
      },
    };
  });
} finally {
  api.close();
}
