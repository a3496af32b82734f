import {
  McpError,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { expect, test, vi } from "vitest";
import { readLedger } from "../src/index.ts";
import { callForText, connectInMemory, temporaryFile } from "./connect-client.ts";

test("the answering tools answer text, numbers, structured content, images and errors", async () => {
  const { client } = await connectInMemory();
  expect(await callForText(client, "echo", { message: "hello" })).toBe("hello");
  expect(await callForText(client, "add", { a: 2, b: 3 })).toBe("5");
  expect(await callForText(client, "image")).toBe("image");
  expect(await callForText(client, "large", { bytes: 70_000 })).toHaveLength(70_000);
  expect(await client.callTool({ name: "structured", arguments: { message: "four" } })).toMatchObject({
    structuredContent: { message: "four", length: 4 },
  });
  expect(await client.callTool({ name: "fail", arguments: { message: "no" } })).toMatchObject({ isError: true });
});

test("a thrown error reaches the client with its code, message and data", async () => {
  const { client } = await connectInMemory();
  const thrown = client.callTool({ name: "throw", arguments: { code: -32_050, message: "odd", data: { a: 1 } } });
  await expect(thrown).rejects.toMatchObject({ code: -32_050, message: "MCP error -32050: odd", data: { a: 1 } });
  await expect(thrown).rejects.toBeInstanceOf(McpError);
  await expect(client.callTool({ name: "add", arguments: { a: "2", b: 3 } })).rejects.toThrow(
    '"a" must be a finite number',
  );
});

test("a structured answer may lie about its own schema", async () => {
  const { client } = await connectInMemory();
  await client.listTools();
  const lie = client.callTool({ name: "structured", arguments: { message: "four", lie: true } });
  await expect(lie).rejects.toThrow("does not match the tool's output schema");
});

test("lists come in pages of the size that was asked for", async () => {
  const { client } = await connectInMemory({ pageSize: 10 });
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools({ cursor });
    expect(page.tools.length).toBeLessThanOrEqual(10);
    names.push(...page.tools.map((tool) => tool.name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(["echo", "crash", "count-idempotent", "touch-resource"]));
});

test("a tool added at run time is announced, listed and callable until it is removed", async () => {
  const { client } = await connectInMemory();
  const announced = vi.fn();
  client.setNotificationHandler(ToolListChangedNotificationSchema, announced);
  expect(await callForText(client, "change-tools", { name: "late" })).toBe("added");
  expect(await callForText(client, "late")).toBe("answer of late");
  expect(await callForText(client, "change-tools", { name: "late" })).toBe("removed");
  await expect(callForText(client, "late")).rejects.toThrow("Unknown tool late");
  expect(announced).toHaveBeenCalledTimes(2);
});

test("a touched resource changes, and only its subscribers hear of it", async () => {
  const { client } = await connectInMemory();
  const updated: string[] = [];
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri));
  await client.subscribeResource({ uri: "test://readme" });
  await callForText(client, "touch-resource", { uri: "test://readme" });
  await callForText(client, "touch-resource", { uri: "test://items/apple" });
  await client.unsubscribeResource({ uri: "test://readme" });
  await callForText(client, "touch-resource", { uri: "test://readme" });
  expect(updated).toEqual(["test://readme"]);
  const { contents } = await client.readResource({ uri: "test://readme" });
  expect(contents).toEqual([{ uri: "test://readme", mimeType: "text/plain", text: "test://readme touched 2 times" }]);
});

test("resources, templates, prompts and completions are there", async () => {
  const { client } = await connectInMemory({ name: "named", version: "9" });
  expect(client.getServerVersion()).toEqual({ name: "named", version: "9" });
  expect((await client.listResources()).resources).toHaveLength(3);
  expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
  expect((await client.listPrompts()).prompts.map((prompt) => prompt.name)).toEqual(["greeting", "review"]);
  expect(await client.getPrompt({ name: "review", arguments: { code: "1+1" } })).toMatchObject({
    messages: [{ content: { text: "Review this code: 1+1" } }],
  });
  const completion = await client.complete({
    ref: { type: "ref/resource", uri: "test://items/{id}" },
    argument: { name: "id", value: "ap" },
  });
  expect(completion.completion.values).toEqual(["apple", "apricot"]);
});

test("progress is reported step by step", async () => {
  const { client } = await connectInMemory();
  const steps: number[] = [];
  const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
  await client.callTool({ name: "progress", arguments: { steps: 3 } }, undefined, { onprogress });
  expect(steps).toEqual([1, 2, 3]);
});

test("executions are counted by key, and the first ones misbehave if asked to", async () => {
  const ledgerPath = temporaryFile();
  const { client } = await connectInMemory({ ledgerPath });
  const given = { key: "order 7", misbehave: "throw", misbehaveTimes: 1 };
  await expect(callForText(client, "count", given)).rejects.toThrow("thrown half-way");
  expect(await callForText(client, "count", given)).toBe("2");
  expect(readLedger(ledgerPath).counts).toEqual({ "order 7": { started: 2, ended: 1, pids: [process.pid] } });
  expect(await client.callTool({ name: "counts" })).toMatchObject({
    structuredContent: { counts: { "order 7": { started: 2, ended: 1 } } },
  });
});

test("a cancelled sleep ends, and work that ignores cancellation is finished and counted", async () => {
  const ledgerPath = temporaryFile();
  const { client } = await connectInMemory({ ledgerPath });
  const signal = AbortSignal.timeout(20);
  const slow = client.callTool({ name: "slow-after-abort", arguments: { key: "late", ms: 100 } }, undefined, {
    signal,
  });
  const sleeping = client.callTool({ name: "sleep", arguments: { ms: 60_000 } }, undefined, { signal });
  await expect(slow).rejects.toThrow();
  await expect(sleeping).rejects.toThrow();
  expect(readLedger(ledgerPath).counts.late).toMatchObject({ started: 1, ended: 0 });
  await expect.poll(() => readLedger(ledgerPath).counts.late).toMatchObject({ started: 1, ended: 1 });
});

test("a server that ignores cancellation answers late", async () => {
  const { client, transport } = await connectInMemory({ ignoreCancellation: true });
  const unexpected = vi.fn();
  client.onerror = unexpected;
  const call = client.callTool({ name: "sleep", arguments: { ms: 60 } }, undefined, {
    signal: AbortSignal.timeout(20),
  });
  await expect(call).rejects.toThrow();
  await expect
    .poll(() => unexpected.mock.calls.flat().map(String))
    .toEqual([expect.stringContaining("Received a response for an unknown message ID")]);
  expect(transport.onmessage).toBeDefined();
});

test("tools that act on the process are errors inside the test's own process", async () => {
  const { client } = await connectInMemory();
  for (const name of ["crash", "exit-after-answer", "garbage", "close-stdout", "spawn-child"]) {
    await expect(callForText(client, name)).rejects.toThrow("needs a server in a process of its own");
  }
});
