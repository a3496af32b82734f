import type { ToolsInput } from "@mastra/core/agent";
import type { Tool } from "@mastra/core/tools";
import { MCPClient } from "@mastra/mcp";
import { toMastraTools } from "@mcp-pool/agent-adapter/mastra";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALLS, type Comparison, expectAllTools, type Outcome, outcomeOf, startComparison } from "./comparison.ts";

const CONTENT = Symbol.for("mastra.mcp.callToolContent");

let comparison: Comparison;
let client: MCPClient;
let own: Record<string, Tool>;
let pooled: Record<string, Tool>;

beforeAll(async () => {
  comparison = await startComparison();
  client = new MCPClient({ id: "comparison", servers: { everything: { url: comparison.url } } });
  own = (await client.listToolsets()).everything as Record<string, Tool>;
  pooled = await toMastraTools(comparison.tools);
});
afterAll(async () => {
  await client.disconnect();
  await comparison.close();
});

const run = (tool: Tool | undefined, args: object, context: object = {}) =>
  tool?.execute?.({ ...args }, context as never);

describe("tools for Mastra", () => {
  it("have its type", async () => {
    const tools = (await toMastraTools(comparison.tools)) satisfies ToolsInput;
    expect(Object.keys(tools)).toEqual(Object.keys(pooled));
  });

  it("are all there, as its own client describes them", () => {
    expectAllTools(Object.keys(own), Object.keys(pooled));
    for (const [name, tool] of Object.entries(pooled)) {
      expect(tool.description).toBe(own[name]?.description);
      expect(tool.mcp?.annotations).toEqual(own[name]?.mcp?.annotations);
      expect(schemasOf(tool)).toEqual(schemasOf(own[name]));
    }
  });

  it.each(CALLS)("%s %j ends as with its own client, for program and model", async (name, args) => {
    const [theirs, ours] = [own[name], pooled[name]];
    const expected = await outcomeOf(() => run(theirs, args));
    expect(await outcomeOf(() => run(ours, args))).toEqual(unprefixed(expected));
    if (!("value" in expected) || name.startsWith("toggle-")) return;
    const told = async (tool: Tool | undefined) => {
      const output = await run(tool, args);
      const content = typeof output === "object" && output !== null ? Reflect.get(output, CONTENT) : undefined;
      return { told: tool?.toModelOutput?.(output as never), content };
    };
    expect(await outcomeOf(() => told(ours))).toEqual(await outcomeOf(() => told(theirs)));
  });

  it("return a failure of the tool when that is asked for, as its own client does", async () => {
    const returning = new MCPClient({
      id: "returning",
      servers: { everything: { url: comparison.url, onToolError: "return" } },
    });
    const args = { name: "c.gz", data: "data:nonsense", outputType: "resource" };
    const theirs = (await returning.listToolsets()).everything?.["gzip-file-as-resource"] as Tool;
    const ours = (await toMastraTools(comparison.tools, { onToolError: "return" }))["gzip-file-as-resource"];
    const expected = await outcomeOf(() => run(theirs, args));
    expect(expected).toMatchObject({ value: { isError: true } });
    expect(await outcomeOf(() => run(ours, args))).toEqual(expected);
    await returning.disconnect();
  });

  it("end when the caller aborts", async () => {
    const controller = new AbortController();
    const tool = pooled["trigger-long-running-operation"];
    const running = run(tool, { duration: 30, steps: 1 }, { abortSignal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });
});

/** Its own client puts the server's name before those of the tools. */
function unprefixed(outcome: Outcome): Outcome {
  return JSON.parse(JSON.stringify(outcome).replace("failed for everything_", "failed for "));
}

function schemasOf(tool: Tool | undefined): unknown {
  const target = { target: "draft-07" } as const;
  const shown = (schema: unknown) =>
    (schema as { "~standard": { jsonSchema: { input(of: typeof target): unknown } } } | undefined)?.[
      "~standard"
    ].jsonSchema.input(target);
  return [shown(tool?.inputSchema), shown(tool?.outputSchema)];
}
