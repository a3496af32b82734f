import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { CallToolRequestSchema, ListToolsRequestSchema, type Tool } from "@modelcontextprotocol/sdk/types.js";
import { createMcpPool, createPooledMcpTools, inMemoryConnector, type PooledMcpTools } from "mcp-pool";
import { describe, expect, it, onTestFinished } from "vitest";
import { deepFreeze } from "./comparison.ts";
import { FRAMEWORKS } from "./frameworks.ts";

const TOOLS: readonly Tool[] = [
  {
    name: "plant",
    description: "Plants a tree",
    inputSchema: {
      type: "object",
      properties: { tree: { $ref: "#/$defs/node" }, count: { $ref: "#/$defs/count" } },
      required: ["tree"],
      $defs: {
        node: {
          type: "object",
          properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
          required: ["name"],
        },
        count: { type: "integer", minimum: 1 },
      },
    },
  },
  { name: "bare", inputSchema: { type: "object" } },
];

const TREE = { tree: { name: "oak", children: [{ name: "acorn", children: [] }] }, count: 2 };

/** Pooled tools of a real server in this process, whose list is frozen through and through. */
async function serve(tools: readonly Tool[]): Promise<PooledMcpTools> {
  const makeServer = () => {
    const server = new Server({ name: "schemas", version: "1.0.0" }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...tools] }));
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
      content: [{ type: "text", text: `${params.name} got ${JSON.stringify(params.arguments)}` }],
    }));
    return server;
  };
  const manager = await createMcpPool(
    { mcpServers: { schemas: { command: "unused" } }, pool: { minConnections: 0 } },
    { connector: () => inMemoryConnector({ server: makeServer }) },
  );
  onTestFinished(() => manager.close());
  deepFreeze(await manager.listTools("schemas"));
  return createPooledMcpTools("schemas", { manager, prefix: false });
}

describe.each(Object.entries(FRAMEWORKS))("schemas in %s", (_, toFramework) => {
  it("with $ref and $defs, recursive ones too, describe calls that reach the server", async () => {
    const { call } = await toFramework(await serve(TOOLS));
    expect(JSON.stringify(await call("plant", TREE))).toContain(JSON.stringify(JSON.stringify(TREE)).slice(1, -1));
  });

  it("may be bare", async () => {
    const { call } = await toFramework(await serve(TOOLS));
    expect(JSON.stringify(await call("bare", {}))).toContain("bare got {}");
  });

  it("are read again for tools made twice, since nobody wrote into them", async () => {
    const tools = await serve(TOOLS);
    await (await toFramework(tools)).call("plant", TREE);
    const { names, call } = await toFramework(tools);
    expect(names).toEqual(["plant", "bare"]);
    expect(JSON.stringify(await call("plant", TREE))).toContain("oak");
    expect((await tools.tools()).map(({ inputSchema }) => inputSchema)).toEqual(TOOLS.map((tool) => tool.inputSchema));
  });

  it("of no tools at all make no tools", async () => {
    expect((await toFramework(await serve([]))).names).toEqual([]);
  });
});

describe("arguments that break a schema with $ref", () => {
  it.each(["Genkit", "LangChain", "Mastra"])("are told by %s before the server is asked", async (name) => {
    const { call } = (await FRAMEWORKS[name]?.(await serve(TOOLS))) ?? expect.fail(`no ${name}`);
    const outcome = await call("plant", { tree: { name: 7 } }).then(JSON.stringify, String);
    expect(outcome).toMatch(/valid|schema/i);
    expect(outcome).not.toContain("plant got");
  });
});
