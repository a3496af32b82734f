import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";
import { answerOf, type MockFaults, type MockTool } from "./mock-behaviour.ts";
import { pause } from "./pause.ts";

/** What the server of one connection is made of. */
export interface MockServerOptions {
  readonly name: string;
  readonly tools: Readonly<Record<string, MockTool>> | undefined;
  readonly latencyMs: number;
  readonly faults: MockFaults;
}

/** The only tool where none is configured; calls of any other name are answered too. */
const DEFAULT_TOOLS: Readonly<Record<string, MockTool>> = {
  echo: {
    description: "Answers with its message.",
    inputSchema: { type: "object", properties: { message: { type: "string" } } },
  },
};

/** Makes the server of one connection. */
export function mockServer({ name, tools, latencyMs, faults }: MockServerOptions): Server {
  const server = new Server({ name, version: "mock" }, { capabilities: { tools: {} } });
  const known = tools ?? DEFAULT_TOOLS;

  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(known).map(([toolName, { description, inputSchema = {} }]): Tool => {
      return { name: toolName, ...(description && { description }), inputSchema: { ...inputSchema, type: "object" } };
    }),
  }));

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }): Promise<CallToolResult> => {
    const tool = Object.hasOwn(known, params.name) ? known[params.name] : undefined;
    if (tool === undefined && tools !== undefined) {
      throw new McpError(ErrorCode.InvalidParams, `the mock has no tool "${params.name}"`);
    }
    const fault = faults.nextCall(params.name);
    await pause(tool?.latencyMs ?? latencyMs, signal);
    if (fault?.kind === "error") throw new McpError(ErrorCode.InternalError, fault.message ?? "an error of the mock");
    if (fault?.kind === "disconnect") await server.close();
    if (fault?.kind === "hang" || fault?.kind === "disconnect") return untilAborted(signal);
    return answerOf(tool ?? {}, params.arguments ?? {});
  });

  return server;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
