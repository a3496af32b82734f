import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentVersionFactory, createVersionedAgent, PooledMcpTools, resolveAgentTools } from "../src/index.ts";
import { scriptedServers, tool } from "./scripted-servers.ts";

const SERVERS = { "zen-server": [tool("think"), tool("plan")], "whatsapp-notifications": [tool("send")] };
const LOCAL = { name: "calculator" };

/** Writes files below a folder that is gone after the test. */
function agents(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "mcp-pool-agents-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

async function namesOf(tools: readonly unknown[]): Promise<readonly unknown[]> {
  const names = tools.map(async (each) =>
    PooledMcpTools.isInstance(each) ? (await each.tools()).map(({ name }) => name) : [each],
  );
  return (await Promise.all(names)).flat();
}

describe("references of agents", () => {
  it("stand for servers, single tools and local tools, side by side and in their order", async () => {
    const { manager, connectors } = scriptedServers(SERVERS);
    const references = ["mcp.whatsapp-notifications", LOCAL, "mcp.zen-server.plan", "clock"];
    const tools = await resolveAgentTools<unknown>(references, { manager, localTools: { clock: "a clock" } });
    expect(connectors["zen-server"]?.connects, "nothing is opened").toEqual([]);
    expect(await namesOf(tools)).toEqual(["whatsapp-notifications__send", LOCAL, "zen-server__plan", "a clock"]);
  });

  it("to one server are put together", async () => {
    const { manager } = scriptedServers(SERVERS);
    const some = await resolveAgentTools(["mcp.zen-server.plan", LOCAL, "mcp.zen-server.think"], { manager });
    expect(some).toHaveLength(2);
    expect(await namesOf(some)).toEqual(["zen-server__think", "zen-server__plan", LOCAL]);
    expect(await namesOf(await resolveAgentTools(["mcp.zen-server.plan", "mcp.zen-server"], { manager }))).toEqual([
      "zen-server__think",
      "zen-server__plan",
    ]);
  });

  it("find servers and tools whose names have dots", async () => {
    const { manager } = scriptedServers({ a: [tool("b.c")], "a.b": [tool("c"), tool("d")] });
    expect(await namesOf(await resolveAgentTools(["mcp.a.b"], { manager }))).toHaveLength(2);
    const [one] = await resolveAgentTools(["mcp.a.b.c"], { manager });
    expect(PooledMcpTools.isInstance(one) && one.serverName).toBe("a.b");
  });

  it("to an unknown server are an error that lists the known ones", async () => {
    const { manager } = scriptedServers(SERVERS);
    const resolved = resolveAgentTools(["mcp.zen-server", "mcp.zen.plan"], { manager });
    await expect(resolved).rejects.toMatchObject({
      code: "SERVER_NOT_FOUND",
      serverName: "zen",
      knownServers: ["zen-server", "whatsapp-notifications"],
    });
    await expect(resolved).rejects.toThrow('unknown MCP server "zen"; known: zen-server, whatsapp-notifications');
  });

  it("to an unknown server are left out with a warning, if that is asked for", async () => {
    const { manager } = scriptedServers(SERVERS);
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const references = ["mcp.zen", LOCAL, "mcp.zen-server"];
    const tools = await resolveAgentTools(references, { manager, unknownServers: "skip", onWarning });
    expect(tools).toHaveLength(2);
    expect(warnings).toEqual([
      'unknown MCP server "zen"; known: zen-server, whatsapp-notifications; "mcp.zen" is left out',
    ]);
    const heard = new Promise<Error>((resolve) => process.once("warning", resolve));
    await resolveAgentTools(["mcp.zen"], { manager, unknownServers: "skip" });
    expect(await heard).toMatchObject({ code: "MCP_POOL_UNKNOWN_SERVER" });
  });

  it("that can't be read are told all at once", async () => {
    const { manager } = scriptedServers(SERVERS);
    const references = ["mcp.", "zen-server", undefined, "mcp.zen-server."];
    const resolved = resolveAgentTools(references, { manager, localTools: { clock: LOCAL } });
    await expect(resolved).rejects.toMatchObject({
      code: "INVALID_CONFIGURATION",
      issues: [{ path: "tools[0]" }, { path: "tools[1]" }, { path: "tools[2]" }, { path: "tools[3]" }],
    });
    await expect(resolved).rejects.toThrow(/no local tool is called "zen-server"; known: clock; .*"mcp.zen-server"/);
    await expect(resolveAgentTools("mcp.a" as never)).rejects.toThrow(/tools: must be an array/);
  });

  it("need a manager only if they name a server", async () => {
    expect(await resolveAgentTools([LOCAL])).toEqual([LOCAL]);
    await expect(resolveAgentTools(["mcp.a"])).rejects.toThrow(/import "mcp-pool" first/);
  });
});

describe("agents from files", () => {
  const CONFIG = `
version: 3
model: some-model
tools:
  - "mcp.zen-server"
  - "mcp.whatsapp-notifications"
`;

  it("are what they are made of, without a function that builds them", async () => {
    const { manager } = scriptedServers(SERVERS);
    const folder = agents({ "my-agent/config.yaml": CONFIG });
    const agent = await createVersionedAgent("my-agent", { folder, manager });
    expect(Object.keys(agent)).toEqual(["name", "version", "config", "tools"]);
    expect(agent).toMatchObject({ name: "my-agent", version: 3, config: { model: "some-model" } });
    expect(await namesOf(agent.tools)).toEqual([
      "zen-server__think",
      "zen-server__plan",
      "whatsapp-notifications__send",
    ]);
  });

  it("are built by the user's function, for any framework", async () => {
    const { manager } = scriptedServers(SERVERS);
    const folder = agents({ "my-agent/config.yaml": "tools: [mcp.zen-server, calculator]" });
    const factory = new AgentVersionFactory({
      folder,
      manager,
      localTools: { calculator: LOCAL },
      build: async ({ name, version, tools }) => `${name} ${version}: ${(await namesOf(tools)).length} tools`,
    });
    expect(await factory.createVersionedAgent("my-agent", { version: 1 })).toBe("my-agent 1: 3 tools");
  });

  it("have versions in files of their own, beside the one in config.yaml", async () => {
    const { manager } = scriptedServers(SERVERS);
    const folder = agents({
      "my-agent/config.yaml": CONFIG,
      "my-agent/config.v1.yaml": "tools: [mcp.zen-server.plan]",
      "my-agent/config.v2.1.yaml": 'version: "2.1"',
      "other/config.v7.yaml": "{}",
      "no-agent/notes.md": "",
    });
    const factory = new AgentVersionFactory({ folder, manager });
    expect(await factory.agents()).toEqual(["my-agent", "other"]);
    expect(await factory.versions("my-agent")).toEqual([3, "1", "2.1"]);
    const first = await factory.createVersionedAgent("my-agent", { version: 1 });
    expect(first.version).toBe(1);
    expect(await namesOf(first.tools)).toEqual(["zen-server__plan"]);
    expect(await factory.createVersionedAgent("my-agent", { version: "2.1" })).toMatchObject({
      version: "2.1",
      tools: [],
    });
    expect(await factory.createVersionedAgent("my-agent", { version: "3" })).toMatchObject({ version: 3 });
    await expect(factory.createVersionedAgent("my-agent", { version: 4 })).rejects.toThrow(
      /"my-agent" has no version 4; known: 3, 1, 2.1/,
    );
    await expect(factory.createVersionedAgent("other")).rejects.toThrow(/no config.yaml.*must be named; known: 7/);
  });

  it.each([
    ["an unknown agent", "your-agent", {}, /no agent "your-agent" in the folder .*known: my-agent/],
    ["a name that leaves the folder", "../my-agent", {}, /no agent "..\/my-agent"/],
    ["a version that leaves the folder", "my-agent", { version: "/../../x" }, /no version \/..\/..\/x; known: 3/],
  ])("%s is a clear error", async (_, name, options, message) => {
    const folder = agents({ "my-agent/config.yaml": CONFIG });
    const made = createVersionedAgent(name, { folder, ...options });
    await expect(made).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
    await expect(made).rejects.toThrow(message);
  });

  it.each([
    ["no YAML", "tools: [", "config.yaml:1:9: is no valid YAML"],
    ["a list", "- mcp.a", "config.yaml:1:1: must be a mapping"],
    ["tools that are no list", "model: x\ntools: mcp.a", "config.yaml:2:8 tools: must be a list of strings"],
    ["a version of a wrong kind", "version: [1]", "config.yaml:1:10 version: must be a number, or a string"],
  ])("a file with %s is told with its place", async (_, text, message) => {
    const folder = agents({ "my-agent/config.yaml": text });
    await expect(createVersionedAgent("my-agent", { folder })).rejects.toThrow(message);
  });

  it("a file whose name and key differ, or two files of one version, are told with their place", async () => {
    const folder = agents({ "a/config.v1.yaml": "version: 2", "b/config.yaml": "", "b/config.v1.yaml": "" });
    await expect(createVersionedAgent("a", { folder, version: 1 })).rejects.toThrow(
      /config.v1.yaml:1:10 version: must be 1, as in the file's name, got 2/,
    );
    await expect(createVersionedAgent("b", { folder, version: 1 })).rejects.toThrow(
      /version 1 of the agent "b" is in config.v1.yaml and in config.yaml/,
    );
  });

  it("an unknown server in a file is told with the file, or left out with a warning", async () => {
    const { manager } = scriptedServers(SERVERS);
    const folder = agents({ "my-agent/config.yaml": "tools: [mcp.zen, mcp.zen-server]" });
    const made = createVersionedAgent("my-agent", { folder, manager });
    await expect(made).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
    await expect(made).rejects.toThrow(/my-agent.config.yaml: unknown MCP server "zen"; known: zen-server/);
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const agent = await createVersionedAgent("my-agent", { folder, manager, unknownServers: "skip", onWarning });
    expect(agent.tools).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  });
});
