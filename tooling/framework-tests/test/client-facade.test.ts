import { type MCPClientLike, type MCPToolLike, mcpTools } from "@anthropic-ai/sdk/helpers/beta/mcp";
import { loadMcpTools } from "@langchain/mcp-adapters";
import { createPooledMcpTools, type PooledMcpClient, toMcpClient } from "@mcp-pool/agent-adapter";
import type { McpPoolManager } from "mcp-pool";
import { afterAll, beforeAll, expect, it } from "vitest";
import { everythingPool } from "./everything.ts";

let manager: McpPoolManager;
let client: PooledMcpClient;
beforeAll(async () => {
  manager = await everythingPool();
  client = toMcpClient(createPooledMcpTools("everything", { manager, prefix: false }));
});
afterAll(() => manager.close());

it("the pooled client is a client for Anthropic's mcpTools", async () => {
  const { tools } = await client.listTools();
  const runnable = mcpTools(tools satisfies MCPToolLike[], client satisfies MCPClientLike);
  const echo = runnable.find((each) => "name" in each && each.name === "echo");
  expect(await echo?.run({ message: "hi" })).toMatchObject([{ type: "text", text: "Echo: hi" }]);
});

it("the pooled client is a client for LangChain's loadMcpTools", async () => {
  // Its type asks for the class of the SDK; what it uses is listTools, callTool, readResource and fork.
  const tools = await loadMcpTools("everything", client as never);
  expect(tools).toHaveLength((await client.listTools()).tools.length);
  const echo = tools.find(({ name }) => name === "echo");
  expect(await echo?.invoke({ message: "hi" })).toBe("Echo: hi");
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  await expect(echo?.invoke({ message: "hi" }, { signal: controller.signal })).rejects.toThrow();
});
