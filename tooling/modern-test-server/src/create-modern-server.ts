import { setTimeout as delay } from "node:timers/promises";
import {
  acceptedContent,
  type CallToolResult,
  fromJsonSchema,
  inputRequired,
  McpServer,
  ProtocolError,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Backend } from "./backend.ts";

/** Address of the one resource. */
export const RESOURCE_URI = "test://text";

/** Makes the server of one request (HTTP) or of one connection. */
export function createModernServer(backend: Backend): McpServer {
  const ttl = { ttlMs: backend.options.ttlMs ?? 0, cacheScope: "private" } as const;
  const server = new McpServer(
    { name: "modern-test-server", version: "1" },
    {
      capabilities: {
        logging: {},
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
      },
      cacheHints: { "tools/list": ttl, "resources/list": ttl, "server/discover": ttl },
    },
  );
  registerTools(server, backend);
  registerRounds(server, backend);
  for (const name of backend.addedTools) {
    server.registerTool(name, { inputSchema: args({}) }, () => text(name));
  }
  server.registerResource("text", RESOURCE_URI, { cacheHint: ttl }, () => ({
    contents: [{ uri: RESOURCE_URI, text: backend.resourceText }],
  }));
  return server;
}

type Args = Readonly<Record<string, unknown>>;

function args(properties: Readonly<Record<string, object>>) {
  return fromJsonSchema<Args>({ type: "object", properties });
}

function text(value: string): CallToolResult {
  return { content: [{ type: "text", text: value }] };
}

function registerTools(server: McpServer, backend: Backend): void {
  server.registerTool("echo", { inputSchema: args({ message: { type: "string" } }) }, ({ message }) =>
    text(String(message)),
  );
  // A method of our own, since errors of tools become results.
  server.server.setRequestHandler("test/throw", { params: args({}) }, ({ code, message, data }) => {
    throw new ProtocolError(Number(code), String(message), data);
  });
  server.registerTool("count", { inputSchema: args({}) }, () => text(String(backend.executed("count"))));
  server.registerTool("sleep", { inputSchema: args({ ms: { type: "number" } }) }, async ({ ms }) => {
    await delay(Number(ms));
    return text(String(backend.executed("sleep")));
  });
  server.registerTool("hang", { inputSchema: args({}) }, (_, { mcpReq }) => untilAborted(mcpReq.signal));
  server.registerTool("log", { inputSchema: args({}) }, async ({ message }, { mcpReq }) => {
    await mcpReq.notify({ method: "notifications/message", params: { level: "info", data: message } });
    return text("logged");
  });
  server.registerTool("progress", { inputSchema: args({ steps: { type: "number" } }) }, async ({ steps }, context) => {
    for (let step = 1; step <= Number(steps); step++) await reportProgress(context, step, Number(steps));
    return text("done");
  });
  // Begins its answer, so that there is a stream, and ends it only when the client goes.
  server.registerTool("begin", { inputSchema: args({}) }, async (_, context) => {
    await reportProgress(context, 0, 1);
    backend.executed("begin");
    return untilAborted(context.mcpReq.signal);
  });
  server.registerTool("headers", { inputSchema: args({}) }, (_, { http }) =>
    text(JSON.stringify(Object.fromEntries(http?.req?.headers ?? []))),
  );
  const region = { type: "string", "x-mcp-header": "Region" };
  server.registerTool("in-region", { inputSchema: args({ region }) }, ({ region: name }, { http }) =>
    text(`${name} ${http?.req?.headers.get("mcp-param-region") ?? "no header"}`),
  );
  const schema = fromJsonSchema<Args>({
    type: "object",
    properties: { length: { type: "integer" } },
    required: ["length"],
  });
  server.registerTool("structured", { inputSchema: args({}), outputSchema: schema }, ({ message }) => ({
    content: [],
    structuredContent: { length: String(message).length },
  }));
}

/** Registers tools that need more than one round. */
function registerRounds(server: McpServer, backend: Backend): void {
  server.registerTool("ask", { inputSchema: args({}) }, ({ question }, { mcpReq }) => {
    const state = mcpReq.requestState<string>();
    if (state !== undefined) backend.echoedStates.push(state);
    const answer = acceptedContent(mcpReq.inputResponses, "answer");
    if (answer !== undefined) {
      backend.executed("ask");
      return text(`answered ${String(answer.value)}`);
    }
    return inputRequired({
      inputRequests: {
        answer: inputRequired.elicit({
          message: String(question),
          requestedSchema: { type: "object", properties: { value: { type: "string" } } },
        }),
      },
      requestState: `state of ${String(question)} ü "quoted"`,
    });
  });
  server.registerTool("ask-for-ever", { inputSchema: args({}) }, () =>
    inputRequired({ inputRequests: { roots: inputRequired.listRoots() } }),
  );
  server.registerTool("come-back", { inputSchema: args({ rounds: { type: "number" } }) }, ({ rounds }, { mcpReq }) => {
    const state = Number(mcpReq.requestState<string>() ?? 0);
    if (state >= Number(rounds)) return text(`came back ${state} times`);
    return inputRequired({ requestState: String(state + 1) });
  });
}

async function reportProgress({ mcpReq }: ServerContext, progress: number, total: number): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total } });
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
