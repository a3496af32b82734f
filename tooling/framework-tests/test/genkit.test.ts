import { createMcpClient, type GenkitMcpClient } from "@genkit-ai/mcp";
import { toGenkitTools } from "@mcp-pool/agent-adapter/genkit";
import { genkit, type ToolAction } from "genkit";
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

const ai = genkit({});
let comparison: Comparison;
let client: GenkitMcpClient;
let own: Map<string, ToolAction>;
let pooled: Map<string, ToolAction>;

beforeAll(async () => {
  comparison = await startComparison();
  client = createMcpClient({ name: "everything", mcpServer: { url: comparison.url.href } });
  own = byName(await client.getActiveTools(ai));
  pooled = byName(await toGenkitTools(ai, comparison.tools));
});
afterAll(async () => {
  await client.disable();
  await comparison.close();
});

function byName(tools: readonly ToolAction[]): Map<string, ToolAction> {
  return new Map(tools.map((tool) => [tool.__action.name.replace(/^.*\//, ""), tool]));
}

describe("tools for Genkit", () => {
  it("have its type", async () => {
    const tools = (await toGenkitTools(ai, comparison.tools)) satisfies ToolAction[];
    expect(tools).toHaveLength(pooled.size);
  });

  it("are all there, as its own client describes them", async () => {
    expectAllTools([...own.keys()], [...pooled.keys()]);
    for (const { name, inputSchema } of await comparison.tools.tools()) {
      const [theirs, ours] = [own.get(name)?.__action, pooled.get(name)?.__action];
      expect(ours?.description).toBe(theirs?.description);
      expect(ours?.inputJsonSchema).toEqual(theirs?.inputJsonSchema);
      expect(ours?.inputJsonSchema).toBe(inputSchema);
    }
  });

  it.each(CALLS)("%s %j ends as with its own client", async (name, args) => {
    const called = async (tool: ToolAction | undefined) => sorted(await outcomeOf(() => tool?.({ ...args })));
    expectSame(name, await called(pooled.get(name)), await called(own.get(name)));
  });

  it("end when the caller aborts", async () => {
    const controller = new AbortController();
    const tool = pooled.get("trigger-long-running-operation");
    const running = tool?.run({ duration: 30, steps: 1 }, { abortSignal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    // What Genkit itself keeps from tools may come with the context.
    const context = { abortSignal: controller.signal };
    await expect(tool?.run({ duration: 30, steps: 1 }, { context })).rejects.toThrow("enough");
  });
});

/** Genkit prints the schema in its messages; its own client brings the same keys in another order. */
function sorted(outcome: Outcome): Outcome {
  if (!("error" in outcome)) return outcome;
  const { name, message } = outcome.error;
  const [text = "", schema] = message.split("Required JSON schema:");
  const lines = schema === undefined ? [] : Object.entries(JSON.parse(schema)).map((entry) => JSON.stringify(entry));
  return { error: { name, message: [text, ...lines.sort()].join("\n") } };
}
