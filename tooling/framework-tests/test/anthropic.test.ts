import { mcpTools } from "@anthropic-ai/sdk/helpers/beta/mcp";
import type { BetaRunnableTool } from "@anthropic-ai/sdk/lib/tools/BetaRunnableTool";
import { toAnthropicTools } from "@mcp-pool/agent-adapter/anthropic";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALLS, type Comparison, expectAllTools, expectSame, outcomeOf, startComparison } from "./comparison.ts";

let comparison: Comparison;
let client: Client;
let own: Map<string, BetaRunnableTool>;
let pooled: Map<string, BetaRunnableTool>;

beforeAll(async () => {
  comparison = await startComparison();
  client = new Client({ name: "comparison", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(comparison.url));
  const call = (params: Parameters<Client["callTool"]>[0]) => client.callTool(params) as never;
  own = byName(mcpTools((await client.listTools()).tools, { callTool: call }));
  pooled = byName(await toAnthropicTools(comparison.tools));
});
afterAll(async () => {
  await client.close();
  await comparison.close();
});

function byName(tools: readonly BetaRunnableTool[]): Map<string, BetaRunnableTool> {
  return new Map(tools.map((tool) => ["name" in tool ? tool.name : "", tool]));
}

describe("tools for Anthropic's SDK", () => {
  it("have its type", async () => {
    const tools = (await toAnthropicTools(comparison.tools)) satisfies BetaRunnableTool[];
    expect(tools).toHaveLength(pooled.size);
  });

  it("are all there, as its own helper describes them", () => {
    expectAllTools([...own.keys()], [...pooled.keys()]);
    for (const [name, tool] of pooled) {
      expect(JSON.parse(JSON.stringify(tool))).toEqual(JSON.parse(JSON.stringify(own.get(name))));
    }
  });

  it.each(CALLS)("%s %j ends as with its own helper", async (name, args) => {
    const run = (tool: BetaRunnableTool | undefined) => outcomeOf(() => tool?.run({ ...args }));
    expectSame(name, await run(pooled.get(name)), await run(own.get(name)));
  });

  it("end when the run is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const context = { signal: controller.signal } as never;
    const running = pooled.get("trigger-long-running-operation")?.run({ duration: 30, steps: 1 }, context);
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});
