import { expect, it } from "vitest";
import { toAiSdkTools } from "../src/ai-sdk/index.ts";
import { toAnthropicTools } from "../src/anthropic/index.ts";
import { toGenkitTools } from "../src/genkit/index.ts";
import { createPooledMcpTools } from "../src/index.ts";
import { toLangChainTools } from "../src/langchain/index.ts";
import { toMastraTools } from "../src/mastra/index.ts";
import { toOpenAiMcpServer } from "../src/openai-agents/index.ts";
import { scriptedServers, tool } from "./scripted-servers.ts";

const ai = { dynamicTool: (config: unknown) => config };

it.each([
  ["the AI SDK", toAiSdkTools],
  ["Anthropic's SDK", toAnthropicTools],
  ["Genkit", (source: never, options?: { signal: AbortSignal }) => toGenkitTools(ai, source, options)],
  ["LangChain", toLangChainTools],
  ["Mastra", toMastraTools],
])("what is no pooled tool, and names that collide, are told before %s sees them", async (_, toFramework) => {
  const { manager } = scriptedServers({ a: [tool("read")], b: [tool("read")] });
  for (const wrong of ["a", undefined, Promise.resolve([]), [{ name: "read" }]]) {
    await expect(toFramework(wrong as never)).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
    await expect(toFramework(wrong as never)).rejects.toThrow(/tools\[0\]: must be what createPooledMcpTools returns/);
  }
  const colliding = ["a", "b"].map((server) => createPooledMcpTools(server, { manager, prefix: false }));
  await expect(toFramework(colliding as never)).rejects.toThrow(/"read" comes from the MCP servers "a" and "b"/);
  const unknown = createPooledMcpTools("c", { manager });
  await expect(toFramework(unknown as never)).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  const reason = new Error("enough");
  const options = { signal: AbortSignal.abort(reason) };
  await expect(toFramework(colliding as never, options)).rejects.toBe(reason);
});

it("the OpenAI Agents SDK gets one server for the tools of one", () => {
  const { manager } = scriptedServers({ a: [] });
  const wrong = [createPooledMcpTools("a", { manager })];
  expect(() => toOpenAiMcpServer(wrong as never)).toThrow(/tools: must be .*make one MCP server of each/);
});

it("Genkit tools need a Genkit instance, and AI SDK tools a major that is known", async () => {
  const { manager } = scriptedServers({ a: [] });
  const tools = createPooledMcpTools("a", { manager });
  await expect(toGenkitTools(tools as never, tools)).rejects.toThrow(/ai: must be what genkit\(\) returns/);
  await expect(toAiSdkTools(tools, { version: 5 as never })).rejects.toThrow(/version: must be 6 or 7.*got 5/);
});
