import {
  type CallToolResult,
  McpConfigurationError,
  type ReadResourceResult,
  type Resource,
  type ResourceTemplate,
  type Tool,
} from "@mcp-pool/core";
import { PooledMcpTools } from "../pooled-mcp-tools.ts";

/** Options of {@link toOpenAiMcpServer}. */
export interface OpenAiMcpServerOptions {
  /** Name of the server in traces. @default the server's name */
  readonly name?: string | undefined;
  /** Whether a model is told the structured content of a result where there is some. @default false, as in the SDK */
  readonly useStructuredContent?: boolean | undefined;
}

/** An MCP server as the OpenAI Agents SDK sees it. */
export interface OpenAiMcpServer {
  readonly name: string;
  /** The SDK need not keep the list: the pool does, and hears of its changes. */
  cacheToolsList: boolean;
  useStructuredContent: boolean;
  /** Does nothing: the pool connects when there is work. */
  connect(): Promise<void>;
  /** Does nothing: connections are the pool's, and others may use them. */
  close(): Promise<void>;
  listTools(): Promise<OpenAiMcpTool[]>;
  callTool(
    toolName: string,
    args: Record<string, unknown> | null,
    meta?: Record<string, unknown> | null,
    options?: OpenAiCallOptions,
  ): Promise<OpenAiObject<CallToolResult["content"][number]>[]>;
  callToolResult(
    toolName: string,
    args: Record<string, unknown> | null,
    meta?: Record<string, unknown> | null,
    options?: OpenAiCallOptions,
  ): Promise<OpenAiCallToolResult>;
  listResources(): Promise<{ resources: OpenAiObject<Resource>[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: OpenAiObject<ResourceTemplate>[] }>;
  readResource(uri: string): Promise<{ contents: OpenAiObject<ReadResourceResult["contents"][number]>[] }>;
  /** Does nothing: the pool forgets a list when its server announces a change. */
  invalidateToolsCache(): Promise<void>;
}

/** Options of one call. */
export interface OpenAiCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** An object of the protocol in the open types of the SDK. */
export type OpenAiObject<T> = T & { [key: string]: unknown };

/** A result in the open types of the SDK. */
export type OpenAiCallToolResult = {
  content: OpenAiObject<CallToolResult["content"][number]>[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
  _meta?: Record<string, unknown>;
  [key: string]: unknown;
};

/** A tool in the types of the SDK. */
export type OpenAiMcpTool = {
  name: string;
  description?: string;
  inputSchema: {
    type: "object";
    properties: Record<string, unknown>;
    required: string[];
    additionalProperties: boolean;
    [keyword: string]: unknown;
  };
};

/**
 * Offers pooled tools as an MCP server of the OpenAI Agents SDK: `new Agent({ mcpServers: [toOpenAiMcpServer(tools)] })`.
 * @throws {McpConfigurationError} for anything but the tools of one server
 */
export function toOpenAiMcpServer(tools: PooledMcpTools, options: OpenAiMcpServerOptions = {}): OpenAiMcpServer {
  if (!PooledMcpTools.isInstance(tools)) {
    const message = "must be what createPooledMcpTools returns; make one MCP server of each";
    throw new McpConfigurationError([{ path: "tools", message }]);
  }
  const { name = tools.serverName, useStructuredContent = false } = options;
  const request = async () => [await tools.manager(), tools.serverName, tools.requestOptions({})] as const;

  const callToolResult: OpenAiMcpServer["callToolResult"] = async (toolName, args, meta, callOptions) =>
    openAiResult(await tools.callTool(toolName, args ?? {}, { signal: callOptions?.signal, meta: meta ?? undefined }));

  return {
    name,
    cacheToolsList: false,
    useStructuredContent,
    connect: async () => {},
    close: async () => {},
    listTools: async () => (await tools.listTools()).tools.map(openAiTool),
    callToolResult,
    callTool: async (...call) => (await callToolResult(...call)).content,
    listResources: async () => {
      const [manager, server, own] = await request();
      return (await manager.listResources(server, own)) as { resources: OpenAiObject<Resource>[] };
    },
    listResourceTemplates: async () => {
      const [manager, server, own] = await request();
      const templates = await manager.listResourceTemplates(server, own);
      return templates as { resourceTemplates: OpenAiObject<ResourceTemplate>[] };
    },
    readResource: async (uri) => {
      const [manager, server, own] = await request();
      const result = await manager.readResource(server, { uri }, own);
      return result as { contents: OpenAiObject<ReadResourceResult["contents"][number]>[] };
    },
    invalidateToolsCache: async () => {},
  };
}

function openAiResult(result: CallToolResult): OpenAiCallToolResult {
  return result as CallToolResult & OpenAiCallToolResult;
}

/** The SDK types what a server may leave out as given, and fills it in by itself. */
function openAiTool(tool: Tool): OpenAiMcpTool {
  return tool as Tool & OpenAiMcpTool;
}
