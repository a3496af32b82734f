import "./patience.ts";
import { toAiSdkTools } from "@mcp-pool/agent-adapter/ai-sdk";
import { toAnthropicTools } from "@mcp-pool/agent-adapter/anthropic";
import { toGenkitTools } from "@mcp-pool/agent-adapter/genkit";
import { toLangChainTools } from "@mcp-pool/agent-adapter/langchain";
import { toMastraTools } from "@mcp-pool/agent-adapter/mastra";
import { toOpenAiMcpServer } from "@mcp-pool/agent-adapter/openai-agents";
import { type FunctionTool, getAllMcpTools, RunContext } from "@openai/agents";
import { genkit } from "genkit";
import type { PooledMcpTools } from "mcp-pool";

/** The tools of a server in one framework: their names, and a call of one as that framework makes it. */
export interface FrameworkTools {
  readonly names: readonly string[];
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** Every framework there is a subpath for. */
export const FRAMEWORKS: Readonly<Record<string, (tools: PooledMcpTools) => Promise<FrameworkTools>>> = {
  "AI SDK": async (tools) => {
    const made = await toAiSdkTools(tools);
    return { names: Object.keys(made), call: async (name, args) => made[name]?.execute(args, {}) };
  },
  Anthropic: async (tools) => {
    const made = new Map((await toAnthropicTools(tools)).map((tool) => ["name" in tool ? tool.name : "", tool]));
    return { names: [...made.keys()], call: async (name, args) => made.get(name)?.run({ ...args }) };
  },
  Genkit: async (tools) => {
    const made = new Map((await toGenkitTools(genkit({}), tools)).map((tool) => [tool.__action.name, tool]));
    return { names: [...made.keys()], call: async (name, args) => made.get(name)?.({ ...args }) };
  },
  LangChain: async (tools) => {
    const made = new Map((await toLangChainTools(tools)).map((tool) => [tool.name, tool]));
    return { names: [...made.keys()], call: async (name, args) => made.get(name)?.invoke({ ...args }) };
  },
  Mastra: async (tools) => {
    const made = await toMastraTools(tools);
    const call: FrameworkTools["call"] = async (name, args) => made[name]?.execute?.({ ...args }, {} as never);
    return { names: Object.keys(made), call };
  },
  "OpenAI Agents": async (tools) => {
    const made = new Map(
      (await getAllMcpTools([toOpenAiMcpServer(tools)])).map((tool) => [tool.name, tool as FunctionTool]),
    );
    const call: FrameworkTools["call"] = async (name, args) =>
      made.get(name)?.invoke(new RunContext({}), JSON.stringify(args));
    return { names: [...made.keys()], call };
  },
};
