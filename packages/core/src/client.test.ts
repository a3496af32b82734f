import { describe, expect, it } from "vitest";
import { McpClient, type McpClientContext, type Requester } from "./client.ts";
import { type Clock, systemClock } from "./clock.ts";
import { McpTimeoutError, McpValidationError } from "./errors.ts";
import type { RequestOptions } from "./options.ts";

interface Sent {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly options: RequestOptions | undefined;
}

/** Answers each request with the next of the given answers, and the last one for ever. */
function clientOf(answers: readonly unknown[], context: McpClientContext = { serverName: "files" }) {
  const sent: Sent[] = [];
  const requester: Requester = {
    async request(method, params, options) {
      sent.push({ method, params, options });
      const answer: unknown = answers[Math.min(sent.length, answers.length) - 1];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { client: new McpClient(requester, context), sent };
}

/** Lets a test call with what the types forbid, as a JavaScript caller may. */
function untyped<Value>(value: unknown): Value {
  return value as Value;
}

async function failureOf(promise: Promise<unknown>): Promise<McpValidationError> {
  const error: unknown = await promise.then(Object, (reason: unknown) => reason);
  if (!(error instanceof McpValidationError)) throw error;
  return error;
}

describe("calling a tool", () => {
  it("sends name, arguments and _meta as they are, and hands on the options", async () => {
    const { client, sent } = clientOf([{ content: [] }]);
    const params = { name: "echo", arguments: { message: "hi" }, _meta: { traceparent: "00-1" } };
    const options = { timeoutMs: 5, meta: { a: 1 } };
    await client.callTool(params, options);
    expect(sent).toEqual([{ method: "tools/call", params, options }]);
  });

  it("returns the result as it came, also one with isError", async () => {
    const answer = { content: [{ type: "text", text: "no" }], isError: true, extra: 1 };
    const { client } = clientOf([answer]);
    expect(await client.callTool({ name: "echo" })).toBe(answer);
  });

  it("passes the requester's error through", async () => {
    const error = new Error("Method not found");
    const { client } = clientOf([error]);
    await expect(client.callTool({ name: "echo" })).rejects.toBe(error);
  });

  it("takes missing content for empty content, without touching the server's object", async () => {
    const answer = Object.freeze({ structuredContent: { a: 1 } });
    const { client } = clientOf([answer]);
    expect(await client.callTool({ name: "echo" })).toEqual({ structuredContent: { a: 1 }, content: [] });
    expect(answer).not.toHaveProperty("content");
  });

  it("does not take a request for input for an empty result", async () => {
    const { client } = clientOf([{ resultType: "input_required", requestState: "x" }]);
    expect((await failureOf(client.callTool({ name: "echo" }))).issues[0]?.path).toBe("content");
  });

  it.each([
    [undefined, "", "must be an object, got undefined"],
    [null, "", "must be an object, got null"],
    [[], "", "must be an object, got an array"],
    [{ content: "text" }, "content", "must be an array, got string"],
    [{ content: null }, "content", "must be an array, got null"],
  ])("rejects the answer %j", async (answer, path, message) => {
    const { client } = clientOf([answer]);
    const error = await failureOf(client.callTool({ name: "echo" }));
    expect(error.issues).toEqual([{ path, message }]);
    expect(error.serverName).toBe("files");
    expect(error.message).toBe(
      `MCP server "files" answered tools/call in the wrong form: ${path || "the result"} ${message}`,
    );
  });

  it.each([
    ["a missing name", {}, [{ path: "name", message: "must be a non-empty string, got undefined" }]],
    ["an empty name", { name: "" }, [{ path: "name", message: "must be a non-empty string, got an empty string" }]],
    [
      "arguments in an array",
      { name: "echo", arguments: [1] },
      [{ path: "arguments", message: "must be an object or undefined, got an array" }],
    ],
    [
      "several problems at once",
      { name: 7, arguments: null, _meta: "x" },
      [
        { path: "name", message: "must be a non-empty string, got number" },
        { path: "arguments", message: "must be an object or undefined, got null" },
        { path: "_meta", message: "must be an object or undefined, got string" },
      ],
    ],
    ["no parameters", undefined, [{ path: "", message: "must be an object, got undefined" }]],
    ["null for parameters", null, [{ path: "", message: "must be an object, got null" }]],
  ])("refuses %s by a rejection, before anything is sent", async (_, params, issues) => {
    const { client, sent } = clientOf([{ content: [] }]);
    const promise = client.callTool(untyped(params));
    const error = await failureOf(promise);
    expect(error.issues).toEqual(issues);
    expect(error.message).toMatch(/^invalid parameters of tools\/call for MCP server "files", so it was not sent: /);
    expect(sent).toEqual([]);
  });
});

describe("the other requests", () => {
  it("send their method and parameters, and return the answer as it came", async () => {
    const answer = { contents: [], messages: [], completion: { values: [] } };
    const { client, sent } = clientOf([answer]);
    const argument = { name: "path", value: "/t" };
    expect(await client.readResource({ uri: "file:///a" })).toBe(answer);
    expect(await client.getPrompt({ name: "greet", arguments: { who: "you" } })).toBe(answer);
    expect(await client.complete({ ref: { type: "ref/prompt", name: "greet" }, argument })).toBe(answer);
    expect(await client.subscribeResource({ uri: "file:///a" })).toBeUndefined();
    expect(await client.unsubscribeResource({ uri: "file:///a" })).toBeUndefined();
    expect(sent.map(({ method, params }) => [method, params])).toEqual([
      ["resources/read", { uri: "file:///a" }],
      ["prompts/get", { name: "greet", arguments: { who: "you" } }],
      ["completion/complete", { ref: { type: "ref/prompt", name: "greet" }, argument }],
      ["resources/subscribe", { uri: "file:///a" }],
      ["resources/unsubscribe", { uri: "file:///a" }],
    ]);
  });

  it("reject an answer without what was asked for", async () => {
    const { client } = clientOf([{}]);
    const paths = [
      client.readResource({ uri: "file:///a" }),
      client.getPrompt({ name: "greet" }),
      client.complete({ ref: { type: "ref/prompt", name: "greet" }, argument: { name: "a", value: "" } }),
    ].map(async (promise) => (await failureOf(promise)).issues[0]?.path);
    expect(await Promise.all(paths)).toEqual(["contents", "messages", "completion"]);
    const broken = clientOf([null]).client;
    await expect(broken.subscribeResource({ uri: "file:///a" })).rejects.toThrow(
      "resources/subscribe in the wrong form",
    );
  });

  it("are refused before they are sent, if their parameters are wrong", async () => {
    const { client, sent } = clientOf([{}]);
    const paths = [
      client.readResource({ uri: "" }),
      client.subscribeResource(untyped({ uri: 1 })),
      client.unsubscribeResource(untyped({})),
      client.getPrompt(untyped({ name: "greet", arguments: [] })),
      client.complete(untyped({ context: 1 })),
    ].map(async (promise) => (await failureOf(promise)).issues.map((issue) => issue.path));
    expect(await Promise.all(paths)).toEqual([
      ["uri"],
      ["uri"],
      ["uri"],
      ["arguments"],
      ["ref", "argument", "context"],
    ]);
    expect(sent).toEqual([]);
  });
});

describe("listing", () => {
  const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];

  it("reads every page, in order, up to one without a cursor, and leaves the server's arrays as they were", async () => {
    const { client, sent } = clientOf([
      { tools: Object.freeze([a]), nextCursor: "1" },
      { tools: [], nextCursor: "2" },
      { tools: [b, c], nextCursor: null },
    ]);
    const { tools } = await client.listTools();
    expect(tools).toEqual([a, b, c]);
    expect(tools[0]).toBe(a);
    expect(sent.map((request) => request.params)).toEqual([undefined, { cursor: "1" }, { cursor: "2" }]);
  });

  it("works likewise for resources, templates and prompts", async () => {
    const { client, sent } = clientOf([{ resources: [a], resourceTemplates: [b], prompts: [c] }]);
    expect(await client.listResources()).toEqual({ resources: [a] });
    expect(await client.listResourceTemplates()).toEqual({ resourceTemplates: [b] });
    expect(await client.listPrompts()).toEqual({ prompts: [c] });
    expect(sent.map(({ method }) => method)).toEqual(["resources/list", "resources/templates/list", "prompts/list"]);
  });

  it("follows an empty cursor, which is a cursor like any other", async () => {
    const { client, sent } = clientOf([{ tools: [], nextCursor: "" }, { tools: [], nextCursor: "1" }, { tools: [b] }]);
    expect((await client.listTools()).tools).toEqual([b]);
    expect(sent[1]?.params).toEqual({ cursor: "" });
  });

  it("ends when a server starts over at an empty cursor, since it meant the end", async () => {
    const single = clientOf([{ tools: [{ name: "a" }], nextCursor: "" }]);
    expect((await single.client.listTools()).tools).toEqual([a]);
    const double = clientOf([
      { tools: [a], nextCursor: "1" },
      { tools: [b], nextCursor: "" },
      { tools: [a], nextCursor: "1" },
    ]);
    expect((await double.client.listTools()).tools).toEqual([a, b]);
  });

  it("rejects a cursor that comes again", async () => {
    const { client, sent } = clientOf([
      { tools: [a], nextCursor: "1" },
      { tools: [b], nextCursor: "2" },
      { tools: [a], nextCursor: "1" },
    ]);
    expect((await failureOf(client.listTools())).issues[0]?.path).toBe("nextCursor");
    expect(sent).toHaveLength(3);
  });

  it("gives up after 1000 pages", async () => {
    let pages = 0;
    const client = new McpClient({ request: async () => ({ prompts: [a], nextCursor: `${++pages}` }) });
    const error = await failureOf(client.listPrompts());
    expect(error.message).toBe(
      "the MCP server answered prompts/list in the wrong form: prompts must end within 1000 pages",
    );
    expect(pages).toBe(1_000);
  });

  it.each([
    [{}, "tools", "must be an array, got undefined"],
    [{ tools: {} }, "tools", "must be an array, got object"],
    [{ tools: [], nextCursor: 2 }, "nextCursor", "must be a string, got number"],
    ["tools", "", "must be an object, got string"],
  ])("rejects the page %j, also as a later one", async (page, path, message) => {
    const first = clientOf([page]);
    expect((await failureOf(first.client.listTools())).issues).toEqual([{ path, message }]);
    const second = clientOf([{ tools: [a], nextCursor: "1" }, page]);
    const error = await failureOf(second.client.listTools());
    expect(error.issues).toEqual([{ path, message }]);
    expect(error.message).toContain('MCP server "files" answered tools/list');
  });
});

describe("the time limit of a list", () => {
  /** Each page takes 30 ms and announces another, up to the given number. */
  function slowClient(pages: number, timeoutMs?: number) {
    let now = 1_000;
    const clock: Clock = { ...systemClock, now: () => now };
    const limits: (number | undefined)[] = [];
    const requester: Requester = {
      async request(_method, _params, options) {
        limits.push(options?.timeoutMs);
        now += 30;
        return { tools: [], nextCursor: limits.length < pages ? `${limits.length}` : undefined };
      },
    };
    return { client: new McpClient(requester, { serverName: "files", clock, timeoutMs }), limits };
  }

  it("is shared by the pages: each gets what is left", async () => {
    const { client, limits } = slowClient(3);
    await client.listTools({ timeoutMs: 100 });
    expect(limits).toEqual([100, 70, 40]);
  });

  it("is the context's where the call gives none", async () => {
    const { client, limits } = slowClient(3, 100);
    await client.listTools();
    expect(limits).toEqual([undefined, 70, 40]);
  });

  it("is left to the requester where nobody gives one", async () => {
    const { client, limits } = slowClient(2);
    await client.listTools({ idempotent: true });
    expect(limits).toEqual([undefined, undefined]);
  });

  it("ends the list between two pages", async () => {
    const { client, limits } = slowClient(9);
    const error: unknown = await client.listTools({ timeoutMs: 60 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(McpTimeoutError);
    expect(error).toMatchObject({
      phase: "request",
      outcome: "unknown",
      serverName: "files",
      message: 'tools/list on MCP server "files" took longer than 60 ms; pages read: 2',
    });
    expect(limits).toHaveLength(2);
  });

  it("keeps the other options on every page", async () => {
    const { client, sent } = clientOf([{ tools: [], nextCursor: "1" }, { tools: [] }], {});
    const { signal } = new AbortController();
    await client.listTools({ timeoutMs: Infinity, signal, identity: "ada" });
    expect(sent.map(({ options }) => options)).toEqual([
      { timeoutMs: Infinity, signal, identity: "ada" },
      { timeoutMs: Infinity, signal, identity: "ada" },
    ]);
  });
});
