import { toOpenAiMcpServer } from "@mcp-pool/agent-adapter/openai-agents";
import { type FunctionTool, getAllMcpTools, type MCPServer, MCPServerStreamableHttp, RunContext } from "@openai/agents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CALLS,
  type Comparison,
  expectAllTools,
  expectSame,
  NEEDS_A_TASK,
  outcomeOf,
  startComparison,
} from "./comparison.ts";

let comparison: Comparison;
let own: MCPServerStreamableHttp;
let pooled: MCPServer;

beforeAll(async () => {
  comparison = await startComparison();
  own = new MCPServerStreamableHttp({ url: comparison.url.href, name: "everything" });
  await own.connect();
  pooled = toOpenAiMcpServer(comparison.tools) satisfies MCPServer;
  await pooled.connect();
});
afterAll(async () => {
  await own.close();
  await comparison.close();
});

async function functionTools(server: MCPServer): Promise<Map<string, FunctionTool>> {
  const tools = await getAllMcpTools([server]);
  return new Map(tools.flatMap((tool) => (tool.type === "function" ? [[tool.name, tool as FunctionTool]] : [])));
}

describe("a server for the OpenAI Agents SDK", () => {
  it("lists all tools, as its own client does", async () => {
    const [theirs, ours] = [await own.listTools(), await pooled.listTools()];
    expectAllTools(
      theirs.map(({ name }) => name),
      ours.map(({ name }) => name),
    );
    for (const tool of ours) {
      const { name, description, inputSchema } = theirs.find(({ name }) => name === tool.name) ?? tool;
      expect(tool).toMatchObject({ name, description, inputSchema });
    }
  });

  it("becomes the same function tools", async () => {
    const [theirs, ours] = [await functionTools(own), await functionTools(pooled)];
    expect(ours.size).toBe((await pooled.listTools()).length);
    for (const [name, { parameters, strict, description }] of ours) {
      expect({ parameters, strict, description }).toEqual({
        parameters: theirs.get(name)?.parameters,
        strict: theirs.get(name)?.strict,
        description: theirs.get(name)?.description,
      });
    }
  });

  it.each(CALLS)("%s %j ends as with its own client, for program and model", async (name, args) => {
    const called = (server: MCPServer) => outcomeOf(() => server.callTool(name, { ...args }));
    expectSame(name, await called(pooled), await called(own));
    const whole = (server: MCPServer) => outcomeOf(() => server.callToolResult?.(name, { ...args }));
    expectSame(name, await whole(pooled), await whole(own));
    const invoked = async (server: MCPServer) => {
      const tool = (await functionTools(server)).get(name.replaceAll("-", "_"));
      return outcomeOf(() => tool?.invoke(new RunContext({}), JSON.stringify(args)));
    };
    if (name !== NEEDS_A_TASK) expect(await invoked(pooled)).toEqual(await invoked(own));
  });

  it("lists and reads resources as its own client does", async () => {
    const uri = "demo://resource/static/document/architecture.md";
    const server = toOpenAiMcpServer(comparison.tools);
    expect(await outcomeOf(() => server.readResource(uri))).toEqual(await outcomeOf(() => own.readResource(uri)));
    // The server keeps one list of the files that its sessions have made, so a file is listed in the last session only.
    const documents = ({ resources }: { resources: { uri: string }[] }) =>
      resources.filter((resource) => resource.uri.includes("/static/"));
    expect(documents(await server.listResources())).toEqual(documents(await own.listResources()));
    expect(documents(await server.listResources())).not.toEqual([]);
    const templates = await own.listResourceTemplates();
    expect((await server.listResourceTemplates()).resourceTemplates).toEqual(templates.resourceTemplates);
  });

  it("stays usable after close, since its connections are the pool's", async () => {
    await pooled.close();
    await pooled.invalidateToolsCache();
    expect(await pooled.callTool("echo", { message: "hi" })).toEqual([{ type: "text", text: "Echo: hi" }]);
    expect(comparison.manager.pool("everything").stats()).toMatchObject({ connections: { total: 1 } });
  });

  it("ends a call when the caller aborts", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const args = { duration: 30, steps: 1 };
    const running = pooled.callTool("trigger-long-running-operation", args, null, { signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});
