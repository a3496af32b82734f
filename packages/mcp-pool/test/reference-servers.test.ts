import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ClientHandlers, createMcpPool, type McpPoolManager, type McpServerConfig } from "../src/index.ts";
import { temporaryFolder } from "./real-servers.ts";
import { referenceServer, startEverything } from "./reference-server.ts";

const handlers: ClientHandlers = {
  sampling: () => ({ model: "a-model", role: "assistant", content: { type: "text", text: "a haiku" } }),
  elicitation: () => ({ action: "accept", content: { name: "Ann" } }),
  roots: () => [{ uri: "file:///somewhere", name: "Somewhere" }],
};

type Sdk = "v1" | "v2";

async function managerOf(server: McpServerConfig, sdk: Sdk, own: ClientHandlers = handlers): Promise<McpPoolManager> {
  const config = { mcpServers: { server }, pool: { maxConnections: 2 }, settings: { sdk } };
  const manager = await createMcpPool(config, { handlers: own });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

/** Calls a tool and returns the texts of its answer. */
async function textOf(manager: McpPoolManager, name: string, args: Readonly<Record<string, unknown>> = {}) {
  const { content, isError } = await manager.callTool("server", { name, arguments: args });
  expect(isError ?? false, `${name} succeeds`).toBe(false);
  return content.map((block) => ("text" in block ? block.text : block.type)).join("\n");
}

async function tryEverything(manager: McpPoolManager): Promise<void> {
  const { tools } = await manager.listTools("server");
  expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(["echo", "trigger-elicitation-request"]));
  const echoes = Array.from({ length: 20 }, (_, index) => textOf(manager, "echo", { message: `${index}` }));
  expect(await Promise.all(echoes)).toEqual(Array.from({ length: 20 }, (_, index) => `Echo: ${index}`));
  expect(await textOf(manager, "get-sum", { a: 2, b: 3 })).toContain("5");
  expect(await textOf(manager, "get-tiny-image")).toContain("image");

  const progress: number[] = [];
  const operation = { name: "trigger-long-running-operation", arguments: { duration: 0.2, steps: 2 } };
  const onProgress = (report: { progress: number }) => progress.push(report.progress);
  await manager.callTool("server", operation, { onProgress, resetTimeoutOnProgress: true });
  expect(progress).toEqual([1, 2]);

  expect(await textOf(manager, "trigger-sampling-request", { prompt: "write", maxTokens: 10 })).toContain("a haiku");
  expect(await textOf(manager, "trigger-elicitation-request")).toContain("Ann");
  expect(await textOf(manager, "get-roots-list")).toContain("file:///somewhere");

  const { resources } = await manager.listResources("server");
  const [first] = resources;
  const { contents } = await manager.readResource("server", { uri: first?.uri ?? "" });
  expect(contents).toHaveLength(1);
  await manager.subscribeResource("server", { uri: first?.uri ?? "" });
  await manager.unsubscribeResource("server", { uri: first?.uri ?? "" });
  expect((await manager.listResourceTemplates("server")).resourceTemplates).not.toEqual([]);
  const { prompts } = await manager.listPrompts("server");
  expect(prompts.map(({ name }) => name)).toContain("simple-prompt");
  expect((await manager.getPrompt("server", { name: "simple-prompt" })).messages).not.toEqual([]);
}

async function tryMemory(manager: McpPoolManager): Promise<void> {
  const entity = { name: "Ann", entityType: "person", observations: ["likes pools"] };
  await textOf(manager, "create_entities", { entities: [entity] });
  expect(await textOf(manager, "search_nodes", { query: "pools" })).toContain("Ann");
  expect(await textOf(manager, "read_graph")).toContain("likes pools");
}

async function tryFilesystem(manager: McpPoolManager, folder: string): Promise<void> {
  const path = join(folder, "note.txt");
  await textOf(manager, "write_file", { path, content: "written through the pool" });
  expect(await textOf(manager, "read_text_file", { path })).toContain("written through the pool");
  expect(await textOf(manager, "list_directory", { path: folder })).toContain("note.txt");
  expect(await textOf(manager, "list_allowed_directories")).toContain(folder);
}

/** Each reference server over each transport that it offers. */
const CASES: Readonly<Record<string, (sdk: Sdk, folder: string) => Promise<void>>> = {
  "server-everything over stdio": async (sdk) =>
    tryEverything(await managerOf(referenceServer("server-everything", "stdio"), sdk)),
  "server-everything over Streamable HTTP": async (sdk) =>
    tryEverything(await managerOf({ type: "http", url: await startEverything("streamableHttp") }, sdk)),
  "server-everything over HTTP+SSE": async (sdk) =>
    tryEverything(await managerOf({ type: "sse", url: await startEverything("sse") }, sdk)),
  "server-memory over stdio": async (sdk, folder) => {
    const MEMORY_FILE_PATH = join(folder, "memory.jsonl");
    writeFileSync(MEMORY_FILE_PATH, "");
    await tryMemory(await managerOf({ ...referenceServer("server-memory"), env: { MEMORY_FILE_PATH } }, sdk));
  },
  "server-filesystem over stdio": async (sdk, folder) => {
    // A client with roots replaces the folders of the command line by them.
    const manager = await managerOf(referenceServer("server-filesystem", folder), sdk, {});
    await tryFilesystem(manager, folder);
  },
  "server-filesystem over stdio, with its folders from the roots of its client": async (sdk, folder) => {
    const manager = await managerOf(referenceServer("server-filesystem"), sdk, {
      roots: () => [{ uri: `file://${folder}` }],
    });
    await expect
      .poll(() => textOf(manager, "list_allowed_directories").catch(String), { timeout: 10_000 })
      .toContain(folder);
    await tryFilesystem(manager, folder);
  },
};

describe.each<Sdk>(["v1", "v2"])(
  "the reference servers work through the pool, on SDK %s:",
  { timeout: 60_000 },
  (sdk) => {
    test.each(Object.entries(CASES))("%s", (_name, run) => run(sdk, temporaryFolder()));
  },
);
