import { afterEach, describe, expect, it } from "vitest";
import { collectTools, createPooledMcpTools, PooledMcpTools } from "../src/index.ts";
import { scriptedServers, tool } from "./scripted-servers.ts";

const SLOT = Symbol.for("mcp-pool.process-managers");
const slot = globalThis as { [SLOT]?: unknown };

afterEach(() => {
  delete slot[SLOT];
});

describe("pooled tools", () => {
  it("open nothing before they are used", async () => {
    const { manager, connectors } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager });
    expect(connectors.files?.connects).toHaveLength(0);
    await tools.tools();
    expect(connectors.files?.connects).toHaveLength(1);
  });

  it("carry what the server says of them, the very schemas included", async () => {
    const read = tool("read", {
      title: "Read",
      description: "Reads a file",
      inputSchema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
      outputSchema: { type: "object", properties: { text: { type: "string" } } },
      annotations: { readOnlyHint: true },
      _meta: { origin: "test" },
    });
    const { manager } = scriptedServers({ files: [read] });
    const [pooled] = await createPooledMcpTools("files", { manager }).tools();
    expect(pooled).toMatchObject({ ...read, name: "files__read", toolName: "read", serverName: "files" });
    expect(pooled?.inputSchema).toBe(read.inputSchema);
    expect(pooled?.outputSchema).toBe(read.outputSchema);
  });

  it("send one request per call, and return a failure of the tool like any result", async () => {
    const { manager, methods, calls } = scriptedServers({ files: [tool("read"), tool("broken")] });
    const tools = createPooledMcpTools("files", { manager });
    const [read, broken] = await tools.tools();
    expect(await read?.call({ path: "a" })).toEqual({ content: [{ type: "text", text: 'files/read {"path":"a"}' }] });
    expect(await broken?.call()).toMatchObject({ isError: true });
    await tools.callTool("files__read", { path: "b" });
    await tools.callTool("read", { path: "c" }, { meta: { trace: 1 } });
    expect(methods("files")).toEqual(["tools/list", "tools/call", "tools/call", "tools/call", "tools/call"]);
    expect(calls("files")).toMatchObject([
      { name: "read", arguments: { path: "a" } },
      { name: "broken", arguments: {} },
      { name: "read", arguments: { path: "b" } },
      { name: "read", arguments: { path: "c" }, _meta: { trace: 1 } },
    ]);
  });

  it("are the same objects until the server's list changes", async () => {
    const { manager, change, methods } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager });
    const before = await tools.tools();
    expect(await tools.tools()).toBe(before);
    change("files", [tool("write")]);
    expect((await tools.tools()).map(({ name }) => name)).toEqual(["files__write"]);
    expect((await tools.listTools()).tools.map(({ name }) => name)).toEqual(["files__write"]);
    expect(methods("files")).toEqual(["tools/list", "tools/list"]);
  });

  it("that are gone since a model saw them still reach the server, for its own answer", async () => {
    const { manager, change, calls } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager });
    await tools.tools();
    change("files", []);
    expect(await tools.tools()).toEqual([]);
    await tools.callTool("files__read", {});
    expect(calls("files")).toHaveLength(1);
  });

  it("that came since the last listing can be called at once", async () => {
    const { manager, change } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager });
    await tools.tools();
    change("files", [tool("read"), tool("write")]);
    expect(await tools.callTool("files__write")).toMatchObject({ content: [{ text: "files/write {}" }] });
  });

  it("pass over a name that the server lists again", async () => {
    const twice = [tool("read", { description: "first" }), tool("read", { description: "second" })];
    const { manager } = scriptedServers({ files: twice });
    const tools = await createPooledMcpTools("files", { manager }).tools();
    expect(tools.map(({ description }) => description)).toEqual(["first"]);
  });

  it("end with the reason of the caller's signal", async () => {
    const { manager } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager });
    const reason = new Error("enough");
    await expect(tools.callTool("read", {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(tools.tools({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("use the connections of their identity", async () => {
    const { manager, connectors } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager, identity: "alice" });
    await tools.callTool("read");
    expect(connectors.files?.connects.map(({ identity }) => identity)).toEqual(["alice"]);
  });

  it("are picked by names and by functions", async () => {
    const listed = [tool("read", { annotations: { readOnlyHint: true } }), tool("stat"), tool("write")];
    const { manager } = scriptedServers({ files: listed });
    const names = async (options: object) =>
      (await createPooledMcpTools("files", { manager, prefix: false, ...options }).tools()).map(({ name }) => name);
    expect(await names({ include: ["read", "write"] })).toEqual(["read", "write"]);
    expect(await names({ exclude: ["write"] })).toEqual(["read", "stat"]);
    expect(await names({ include: (each: { name: string }) => each.name !== "stat", exclude: ["read"] })).toEqual([
      "write",
    ]);
    const hidden = createPooledMcpTools("files", { manager, exclude: ["write"] });
    await expect(hidden.callTool("write")).rejects.toThrow(/unknown tool "write".*known: files__read, files__stat/);
  });

  it("may be none", async () => {
    const { manager } = scriptedServers({ files: [] });
    const tools = createPooledMcpTools("files", { manager });
    expect(await tools.tools()).toEqual([]);
    await expect(tools.callTool("read")).rejects.toThrow(/unknown tool "read" of MCP server "files"; it has none/);
  });
});

describe("pooled tools of several servers", () => {
  it("have names of their own", async () => {
    const { manager } = scriptedServers({ a: [tool("read")], b: [tool("read")] });
    const tools = await collectTools([createPooledMcpTools("a", { manager }), createPooledMcpTools("b", { manager })]);
    expect(tools.map(({ name }) => name)).toEqual(["a__read", "b__read"]);
    const [first] = tools;
    if (first === undefined) throw new Error("there are two");
    expect(await collectTools(first)).toEqual([first]);
    const mixed = await collectTools([first, createPooledMcpTools("b", { manager })]);
    expect(mixed.map(({ name }) => name)).toEqual(["a__read", "b__read"]);
    expect(await collectTools([])).toEqual([]);
  });

  it("are refused when two have the same name", async () => {
    const { manager } = scriptedServers({ a: [tool("read")], b: [tool("read")] });
    const [a, b] = ["a", "b"].map((server) => createPooledMcpTools(server, { manager, prefix: false }));
    if (a === undefined || b === undefined) throw new Error("two were made");
    await expect(collectTools([a, b])).rejects.toMatchObject({ code: "INVALID_CONFIGURATION" });
    await expect(collectTools([a, b])).rejects.toThrow(/"read" comes from the MCP servers "a" and "b".*another prefix/);
    await expect(collectTools([a, a])).rejects.toThrow(/twice from MCP server "a"/);
  });
});

describe("bad input to pooled tools", () => {
  it("an unknown server is told with those there are", async () => {
    const { manager } = scriptedServers({ files: [], search: [] });
    const tools = createPooledMcpTools("flies", { manager });
    await expect(tools.tools()).rejects.toMatchObject({ code: "SERVER_NOT_FOUND", knownServers: ["files", "search"] });
    await expect(tools.callTool("read")).rejects.toThrow(/unknown MCP server "flies"; known: files, search/);
  });

  it("an unknown tool is told with those there are, and nothing is sent", async () => {
    const { manager, calls } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager });
    await expect(tools.callTool("raed")).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      serverName: "files",
      issues: [{ path: "name" }],
    });
    await expect(tools.callTool("raed")).rejects.toThrow(
      /unknown tool "raed" of MCP server "files"; known: files__read/,
    );
    expect(calls("files")).toEqual([]);
  });

  it("wrong arguments are refused before they are sent", async () => {
    const { manager, calls } = scriptedServers({ files: [tool("read")] });
    const tools = createPooledMcpTools("files", { manager });
    for (const args of ["path", ["path"], 7]) {
      await expect(tools.callTool("read", args as never)).rejects.toMatchObject({
        code: "VALIDATION_FAILED",
        issues: [{ path: "arguments" }],
      });
    }
    expect(calls("files")).toEqual([]);
  });

  it("a misspelt name to include is an error at the first listing, and none when it goes away later", async () => {
    const { manager, change } = scriptedServers({ files: [tool("read")] });
    const wrong = createPooledMcpTools("files", { manager, include: ["raed"] });
    await expect(wrong.tools()).rejects.toThrow(/MCP server "files" has no tool "raed"; known: read/);
    const right = createPooledMcpTools("files", { manager, include: ["read"] });
    expect(await right.tools()).toHaveLength(1);
    change("files", []);
    expect(await right.tools()).toEqual([]);
  });

  it("all wrong options are listed at once", () => {
    const options = {
      manager: Promise.resolve(),
      include: "read",
      exclude: [1],
      prefix: "",
      identity: 7,
      prefixx: "a",
    };
    const make = () => createPooledMcpTools("", options as never);
    expect(make).toThrow(
      /server: must be the name.*prefixx: is no option.*await it.*include.*exclude.*prefix.*identity/,
    );
    expect(() => createPooledMcpTools("files", "x" as never)).toThrow(/options: must be an object/);
  });

  it("no manager at all is an error that says what to do", () => {
    expect(() => createPooledMcpTools("files")).toThrow(/pass one, or import "mcp-pool" first/);
    expect(() => createPooledMcpTools("files")).toThrow(expect.objectContaining({ code: "INVALID_CONFIGURATION" }));
  });
});

it("the manager of the process serves tools that were given none, and is made at their first use", async () => {
  const { manager, calls } = scriptedServers({ files: [tool("read")] });
  let made = 0;
  const get = async () => {
    made++;
    return manager;
  };
  slot[SLOT] = { get };
  const tools = createPooledMcpTools("files");
  expect(made).toBe(0);
  await tools.callTool("read", { path: "a" });
  expect(made).toBeGreaterThan(0);
  expect(calls("files")).toHaveLength(1);
});

it("pooled tools are known by their mark, whichever copy of the package made them", () => {
  const { manager } = scriptedServers({ files: [] });
  expect(PooledMcpTools.isInstance(createPooledMcpTools("files", { manager }))).toBe(true);
  expect(PooledMcpTools.isInstance({ serverName: "files" })).toBe(false);
  expect(PooledMcpTools.isInstance(undefined)).toBe(false);
});
