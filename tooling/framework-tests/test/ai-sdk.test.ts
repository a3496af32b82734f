import { createMCPClient, type MCPClient } from "@ai-sdk/mcp";
import { toAiSdkTools } from "@mcp-pool/agent-adapter/ai-sdk";
import { asSchema, type ToolSet } from "ai";
import { asSchema as asSchemaOf6, generateText, stepCountIs, type ToolSet as ToolSetOf6 } from "ai-v6";
import { MockLanguageModelV3 } from "ai-v6/test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALLS, type Comparison, expectAllTools, outcomeOf, startComparison } from "./comparison.ts";

let comparison: Comparison;
let client: MCPClient;
let own: ToolSet;
let pooled: Awaited<ReturnType<typeof toAiSdkTools>>;

beforeAll(async () => {
  comparison = await startComparison();
  client = await createMCPClient({ transport: { type: "http", url: comparison.url.href } });
  own = await client.tools();
  pooled = await toAiSdkTools(comparison.tools);
});
afterAll(async () => {
  await client.close();
  await comparison.close();
});

const CONTEXT = { toolCallId: "1", messages: [] };

describe("tools for the AI SDK", () => {
  it("have the types of both majors", async () => {
    const of7 = (await toAiSdkTools(comparison.tools)) satisfies ToolSet;
    const of6 = (await toAiSdkTools(comparison.tools, { version: 6 })) satisfies ToolSetOf6;
    expect(Object.keys(of6)).toEqual(Object.keys(of7));
  });

  it("are all there, as its own client describes them", () => {
    expectAllTools(Object.keys(own), Object.keys(pooled));
    for (const [name, tool] of Object.entries(pooled)) {
      expect(tool.description).toBe(own[name]?.description);
      expect(tool.title).toBe(own[name]?.title);
      expect(tool.metadata.annotations).toEqual(own[name]?.metadata?.annotations);
    }
  });

  it("carry the server's schema as it is, in both majors", async () => {
    for (const tool of await comparison.tools.tools()) {
      const made = pooled[tool.name];
      if (made === undefined) throw new Error(`no ${tool.name}`);
      expect(await asSchema(made.inputSchema).jsonSchema).toBe(tool.inputSchema);
      expect(await asSchemaOf6(made.inputSchema).jsonSchema).toBe(tool.inputSchema);
    }
  });

  it.each(CALLS)("%s %j ends as with its own client, for program and model", async (name, args) => {
    const ours = pooled[name];
    const theirs = own[name];
    const context = { ...CONTEXT, context: {} };
    const expected = await outcomeOf(() => theirs?.execute?.(args, context));
    const actual = await outcomeOf(() => ours?.execute(args, {}));
    expect(actual).toEqual(expected);
    if (!("value" in actual)) return;
    const told = (tool: ToolSet[string] | undefined) =>
      tool?.toModelOutput?.({ ...CONTEXT, input: args, output: actual.value });
    expect(await told(ours)).toEqual(await told(theirs));
  });

  it("tell models of major 6 of images in its own way", async () => {
    const { "get-tiny-image": tool } = await toAiSdkTools(comparison.tools, { version: 6 });
    const output = await tool?.execute({}, {});
    expect(tool?.toModelOutput({ output })).toMatchObject({
      type: "content",
      value: [{ type: "text" }, { type: "image-data", mediaType: "image/png" }, { type: "text" }],
    });
  });

  it("serve an agent of major 6, whose model sees the image", async () => {
    const usage = {
      inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 1, text: 1, reasoning: 0 },
    };
    const call = { type: "tool-call", toolCallId: "1", toolName: "get-tiny-image", input: "{}" } as const;
    const model: MockLanguageModelV3 = new MockLanguageModelV3({
      doGenerate: async () => {
        const isFirst = model.doGenerateCalls.length === 1;
        const finishReason = { unified: isFirst ? "tool-calls" : "stop", raw: undefined } as const;
        return { content: isFirst ? [call] : [{ type: "text", text: "Done." }], finishReason, usage, warnings: [] };
      },
    });
    const tools = await toAiSdkTools(comparison.tools, { version: 6 });
    await generateText({ model, tools, prompt: "Go on.", stopWhen: stepCountIs(2) });
    const seen = JSON.stringify(model.doGenerateCalls.at(-1)?.prompt.filter(({ role }) => role === "tool"));
    expect(seen).toContain('"mediaType":"image/png"');
    expect(seen).toMatch(/"type":"(image-data|media)"/);
  });

  it("end when the caller aborts", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const args = { duration: 30, steps: 1 };
    const running = pooled["trigger-long-running-operation"]?.execute(args, { abortSignal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});
