import { stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type ClientHandlers,
  type CreateMcpPoolOptions,
  createMcpPool,
  type McpPoolManager,
  type McpServerConfig,
  type RequestOptions,
} from "../src/index.ts";
import { TRANSPORTS } from "./transports.ts";

const SLOW = { timeout: 60_000 };

async function managerOf(server: McpServerConfig, options: CreateMcpPoolOptions): Promise<McpPoolManager> {
  const manager = await createMcpPool({ mcpServers: { asking: server }, pool: { minConnections: 0 } }, options);
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

/** What the server got from its client, and what it was told that the client can do. */
interface Asked {
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly refusal?: { readonly code: number; readonly message: string };
  readonly capabilities: Readonly<Record<string, unknown>>;
}

type Arguments = Readonly<Record<string, unknown>>;

/** Calls tools: a client of a lease, or a manager for one server. */
interface Caller {
  callTool(
    params: { name: string; arguments: Arguments },
    options?: RequestOptions,
  ): Promise<{ structuredContent?: unknown }>;
}

/** Calls one of the server's tools that ask. */
async function ask(caller: Caller, tool: string, args: Arguments = {}, options?: RequestOptions): Promise<Asked> {
  const given = { "ask-model": { prompt: "hi" }, "ask-user": { message: "Who?" } }[tool];
  const { structuredContent } = await caller.callTool({ name: tool, arguments: { ...given, ...args } }, options);
  return structuredContent as Asked;
}

function through(manager: McpPoolManager): Caller {
  return {
    callTool: ({ name, arguments: args }, options) => manager.callTool("asking", { name, arguments: args }, options),
  };
}

function user(name: string): ClientHandlers {
  return { elicitation: () => ({ action: "accept", content: { name } }) };
}

const EVERYTHING: ClientHandlers = {
  ...user("Ann"),
  sampling: ({ messages }) => {
    const [first] = messages;
    const said = first !== undefined && "text" in first.content ? first.content.text : "nothing";
    return { model: "echo-1", role: "assistant", content: { type: "text", text: `you said ${said}` } };
  },
  roots: ({ serverName }) => [{ uri: `file:///${serverName}`, name: "project" }],
};

describe.each(Object.entries(TRANSPORTS))("over %s", SLOW, (_name, start) => {
  test.each([false, true])(
    "a server's handlers answer what it asks (on a stream of its own: %s)",
    async (standalone) => {
      const manager = through(await managerOf(await start(), { handlers: EVERYTHING }));
      const capabilities = { sampling: {}, elicitation: { form: {} }, roots: {} };
      expect(await ask(manager, "ask-user", { standalone })).toEqual({
        answer: { action: "accept", content: { name: "Ann" } },
        capabilities,
      });
      expect(await ask(manager, "ask-model", { standalone })).toMatchObject({
        answer: { model: "echo-1", content: { type: "text", text: "you said hi" } },
      });
      expect(await ask(manager, "ask-roots", { standalone })).toMatchObject({
        answer: { roots: [{ uri: "file:///asking", name: "project" }] },
      });
    },
  );

  test("each of many exclusive leases is asked for itself alone", async () => {
    const manager = await managerOf(await start(), {
      handlers: (name) => (name === "asking" ? user("server") : undefined),
    });
    const names = ["Ann", "Bob", "Cleo"];
    const answers = names.map((name) =>
      manager.use("asking", async (client) => (await ask(client, "ask-user", {})).answer?.content, {
        sharing: "exclusive",
        handlers: user(name),
      }),
    );
    answers.push(ask(through(manager), "ask-user").then(({ answer }) => answer?.content));
    expect(await Promise.all(answers)).toEqual([...names, "server"].map((name) => ({ name })));
  });
});

describe("handlers", SLOW, () => {
  test("that are not there are not announced, and a server that asks all the same is refused", async () => {
    const manager = through(await managerOf(stdioTestServer(), {}));
    expect(await ask(manager, "ask-user")).toEqual({
      refusal: { code: -32_601, message: expect.stringContaining("Method not found") },
      capabilities: {},
    });
  });

  test("of a lease need an exclusive one", async () => {
    const manager = await managerOf(stdioTestServer(), { handlers: user("server") });
    await expect(manager.acquire("asking", { handlers: user("lease") })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      message: expect.stringContaining('need sharing "exclusive"'),
    });
    const lease = await manager.acquire("asking", { sharing: "exclusive", handlers: { roots: () => [] } });
    expect(await ask(lease.client, "ask-roots")).toMatchObject({ answer: { roots: [] } });
    expect(await ask(lease.client, "ask-user")).toMatchObject({ answer: { content: { name: "server" } } });
    expect(await ask(lease.client, "ask-user", {}, { handlers: user("call") })).toMatchObject({
      answer: { content: { name: "call" } },
    });
    lease.release();
  });

  test("that throw, or answer in the wrong form, tell the server so and hurt nobody", async () => {
    const elicitation = ({ message }: { message: string }) => {
      if (message === "wrong") return { action: "maybe" } as never;
      throw new Error("the user is away");
    };
    const manager = await managerOf(stdioTestServer(), { handlers: { elicitation } });
    const events: unknown[] = [];
    manager.subscribe((event) => events.push(event), ["handler-failed"]);
    expect(await ask(through(manager), "ask-user", { message: "Who?" })).toMatchObject({
      refusal: { message: expect.stringContaining("the user is away") },
    });
    expect(await ask(through(manager), "ask-user", { message: "wrong" })).toMatchObject({
      refusal: { code: -32_602, message: expect.stringContaining("Invalid elicitation result") },
    });
    expect(events).toMatchObject([{ kind: "elicitation", serverName: "asking" }]);
  });

  test("that a reload brings reach servers whose connections are open, and what is under way ends as it began", async () => {
    let handlers: ClientHandlers = user("Ann");
    const config = { mcpServers: { asking: stdioTestServer() }, pool: { minConnections: 0, maxConnections: 1 } };
    const manager = await createMcpPool(config, { handlers: () => handlers });
    onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
    const caller = through(manager);
    expect((await ask(caller, "ask-user")).capabilities).toEqual({ elicitation: { form: {} } });
    const lease = await manager.acquire("asking");
    handlers = EVERYTHING;
    await manager.reload(config);
    expect(await ask(caller, "ask-roots")).toMatchObject({
      answer: { roots: [{ uri: "file:///asking" }] },
      capabilities: { sampling: {}, elicitation: { form: {} }, roots: {} },
    });
    expect((await ask(lease.client, "ask-user")).capabilities).toEqual({ elicitation: { form: {} } });
    lease.release();
  });

  test("hear when the server no longer waits", async () => {
    let tellAborted = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      tellAborted = resolve;
    });
    let tellAsked = (): void => {};
    const asked = new Promise<void>((resolve) => {
      tellAsked = resolve;
    });
    const handlers: ClientHandlers = {
      elicitation: (_params, { signal }) => {
        signal.addEventListener("abort", tellAborted);
        tellAsked();
        return new Promise(() => {});
      },
    };
    const manager = await managerOf(stdioTestServer(), { handlers });
    const call = ask(through(manager), "ask-user").catch((error: unknown) => error);
    await asked;
    await manager.close({ drainTimeoutMs: 0 });
    await aborted;
    expect(await call).toMatchObject({ code: "OUTCOME_UNKNOWN" });
  });
});
