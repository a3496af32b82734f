import { expect, it } from "vitest";
import { createPooledMcpTools, toMcpClient } from "../src/index.ts";
import { scriptedServers, tool } from "./scripted-servers.ts";

it("a pooled client lists and calls tools under the same names", async () => {
  const { manager, calls } = scriptedServers({ files: [tool("read"), tool("write")] });
  const client = toMcpClient(createPooledMcpTools("files", { manager, exclude: ["write"] }));
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(["files__read"]);
  const result = await client.callTool({ name: "files__read", arguments: { path: "a" }, _meta: { trace: 1 } });
  expect(result.content).toEqual([{ type: "text", text: 'files/read {"path":"a"}' }]);
  expect(calls("files")).toMatchObject([{ name: "read", arguments: { path: "a" }, _meta: { trace: 1 } }]);
  await expect(client.callTool({ name: "write" })).rejects.toThrow(/unknown tool "write"/);
});

it("a pooled client hands out copies, for helpers that write into them", async () => {
  const { manager } = scriptedServers({ files: [tool("read")] });
  const tools = createPooledMcpTools("files", { manager });
  const [copy] = (await toMcpClient(tools).listTools()).tools;
  if (copy === undefined) throw new Error("there is one");
  Object.assign(copy.inputSchema, { properties: {} });
  expect((await tools.tools())[0]?.inputSchema).toEqual({ type: "object" });
});

it("a pooled client forwards signal, time limit, progress and identity", async () => {
  const { manager, connectors } = scriptedServers({ files: [tool("read")] });
  const client = toMcpClient(createPooledMcpTools("files", { manager, identity: "alice" }));
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  await expect(client.callTool({ name: "read" }, undefined, { signal })).rejects.toBe(reason);
  await expect(client.listTools({}, { signal })).rejects.toBe(reason);
  await expect(client.readResource({ uri: "file:///a" }, { signal })).rejects.toBe(reason);
  await expect(client.callTool({ name: "read" }, undefined, { timeout: -1 })).rejects.toMatchObject({
    code: "VALIDATION_FAILED",
  });
  await client.callTool({ name: "read" });
  expect(connectors.files?.connects.map(({ identity }) => identity)).toEqual(["alice"]);
});

it("a pooled client asks for everything else of a server too", async () => {
  const { manager, methods } = scriptedServers({ files: [] });
  const client = toMcpClient(createPooledMcpTools("files", { manager }));
  expect(await client.readResource({ uri: "file:///a" })).toMatchObject({ contents: [{ text: "of files" }] });
  await client.listResources();
  await client.listResourceTemplates();
  await client.listPrompts();
  await client.getPrompt({ name: "p" });
  await client.complete({ ref: { type: "ref/prompt", name: "p" }, argument: { name: "a", value: "b" } });
  expect(methods("files")).toEqual([
    "resources/read",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
    "prompts/get",
    "completion/complete",
  ]);
});

it("a forked client adds its headers to each request, and closing closes no connection", async () => {
  const { manager, connectors } = scriptedServers({ files: [tool("read")] });
  const client = toMcpClient(createPooledMcpTools("files", { manager }));
  const fork = await (await client.fork({ authorization: "a" })).fork({ tenant: "b" });
  await fork.callTool({ name: "read" });
  await fork.close();
  await client.callTool({ name: "read" });
  const headers = connectors.files?.requests
    .filter(({ method }) => method === "tools/call")
    .map((each) => each.options.headers);
  expect(headers).toEqual([{ authorization: "a", tenant: "b" }, undefined]);
  expect(connectors.files?.connections).toHaveLength(1);
});
