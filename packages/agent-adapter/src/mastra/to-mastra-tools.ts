import { ErrorCategory, ErrorDomain, MastraError } from "@mastra/core/error";
import { toStandardSchema } from "@mastra/core/schema";
import { createTool, type MCPToolProperties, type Tool } from "@mastra/core/tools";
import type { CallToolResult } from "@mcp-pool/core";
import { collectTools, type PooledToolSource } from "../collect-tools.ts";
import type { PooledTool } from "../pooled-tool.ts";
import { structuredModelOutput, structuredResult, textOf } from "./structured-result.ts";

/** Options of {@link toMastraTools}. */
export interface MastraToolsOptions {
  /** Whether a result with `isError` fails the call, or is returned. @default "throw", as Mastra's own MCP client */
  readonly onToolError?: "throw" | "return" | undefined;
  /** Ends the listing of the tools. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes tools for Mastra: `new Agent({ tools: await toMastraTools(tools) })`. Mastra checks arguments against the server's
 * schema before it calls.
 * @throws {McpConfigurationError} when two tools have the same name
 */
export async function toMastraTools(
  source: PooledToolSource,
  { onToolError = "throw", signal }: MastraToolsOptions = {},
): Promise<Record<string, Tool>> {
  const tools = await collectTools(source, { signal });
  return Object.fromEntries(tools.map((tool) => [tool.name, mastraTool(tool, onToolError)]));
}

function mastraTool(tool: PooledTool, onToolError: "throw" | "return"): Tool {
  const { name, serverName, description = "", inputSchema, outputSchema } = tool;
  return createTool({
    id: name,
    description,
    inputSchema: toStandardSchema({ ...inputSchema }),
    ...(outputSchema === undefined ? {} : { outputSchema: shown(outputSchema), toModelOutput: structuredModelOutput }),
    mcp: properties(tool),
    mcpMetadata: { serverName },
    execute: async (input, context) => {
      const result = await tool.call(input as Record<string, unknown>, { signal: context?.abortSignal });
      if (result.isError && onToolError === "throw") throw failure(tool, result);
      return structuredResult(result);
    },
  }) as Tool;
}

/** What a server leaves out is left out here too, which Mastra's types insist on and ours can't say. */
function properties({ annotations, _meta }: PooledTool): MCPToolProperties {
  const given = { ...(annotations === undefined ? {} : { annotations }), ...(_meta === undefined ? {} : { _meta }) };
  return given as MCPToolProperties;
}

/** A schema that is only shown: what `execute` returns is not always what the server declared. */
function shown(schema: NonNullable<PooledTool["outputSchema"]>): ReturnType<typeof toStandardSchema> {
  const { "~standard": standard } = toStandardSchema({ ...schema });
  return { "~standard": { ...standard, validate: (value) => ({ value }) } };
}

function failure({ toolName, serverName }: PooledTool, { content }: CallToolResult): MastraError {
  return new MastraError({
    id: "MCP_CLIENT_TOOL_EXECUTION_FAILED",
    domain: ErrorDomain.MCP,
    category: ErrorCategory.THIRD_PARTY,
    text: textOf(content) || "MCP tool execution failed",
    details: { toolName, serverName },
  });
}
