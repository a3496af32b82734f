import type { DynamicStructuredTool, StructuredToolInterface } from "@langchain/core/tools";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { toLangChainTools } from "@mcp-pool/agent-adapter/langchain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CALLS,
  type Comparison,
  expectAllTools,
  expectSame,
  type Outcome,
  outcomeOf,
  startComparison,
} from "./comparison.ts";

let comparison: Comparison;
let client: MultiServerMCPClient;
let own: Map<string, DynamicStructuredTool>;
let pooled: Map<string, DynamicStructuredTool>;

beforeAll(async () => {
  comparison = await startComparison();
  client = new MultiServerMCPClient({ mcpServers: { everything: { url: comparison.url.href } } });
  own = byName(await client.getTools());
  pooled = byName(await toLangChainTools(comparison.tools));
});
afterAll(async () => {
  await client.close();
  await comparison.close();
});

function byName(tools: readonly DynamicStructuredTool[]): Map<string, DynamicStructuredTool> {
  return new Map(tools.map((tool) => [tool.name, tool]));
}

describe("tools for LangChain", () => {
  it("have its type", async () => {
    const tools = (await toLangChainTools(comparison.tools)) satisfies StructuredToolInterface[];
    expect(tools).toHaveLength(pooled.size);
  });

  it("are all there, as its own client describes them", () => {
    expectAllTools([...own.keys()], [...pooled.keys()]);
    for (const [name, tool] of pooled) {
      expect(tool.description).toBe(own.get(name)?.description);
      expect(tool.metadata?.annotations).toEqual(own.get(name)?.metadata?.annotations);
    }
  });

  it("carry the server's schema as it is", async () => {
    for (const { name, inputSchema } of await comparison.tools.tools()) {
      expect(pooled.get(name)?.schema).toEqual(inputSchema);
    }
  });

  it.each(CALLS)("%s %j ends as with its own client, for program and model", async (name, args) => {
    const result = (tool: DynamicStructuredTool | undefined) => outcomeOf(() => tool?.invoke({ ...args }));
    expectSame(name, await result(pooled.get(name)), await result(own.get(name)));
    // A call as an agent makes it brings content and artifact in a message.
    const call = { type: "tool_call", id: "1", name, args: { ...args } } as const;
    const message = (tool: DynamicStructuredTool | undefined) => outcomeOf(() => tool?.invoke(call));
    if (name.startsWith("toggle-")) return;
    expectSame(name, withoutMetadata(await message(pooled.get(name))), withoutMetadata(await message(own.get(name))));
  });

  it("end when the caller aborts, and at the time limit of the call", async () => {
    const tool = pooled.get("trigger-long-running-operation");
    const controller = new AbortController();
    const running = tool?.invoke({ duration: 30, steps: 1 }, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow();
    await expect(tool?.invoke({ duration: 30, steps: 1 }, { timeout: 50 })).rejects.toThrow();
  });
});

/** Ours says more of where a tool is from. */
function withoutMetadata(outcome: Outcome): Outcome {
  return JSON.parse(JSON.stringify(outcome), (key, value) => (key === "metadata" ? undefined : value));
}
