import { McpConfigurationError } from "@mcp-pool/core";
import { PooledMcpTools } from "./pooled-mcp-tools.ts";
import type { PooledCallOptions, PooledTool } from "./pooled-tool.ts";

/** Pooled tools of one server or of several. */
export type PooledToolSource = PooledMcpTools | PooledTool | readonly (PooledMcpTools | PooledTool)[];

/**
 * Lists the tools of all sources; servers are asked side by side.
 * @throws {McpConfigurationError} when two tools have the same name, or for what is no source
 */
export async function collectTools(
  source: PooledToolSource,
  options?: PooledCallOptions,
): Promise<readonly PooledTool[]> {
  const sources = (Array.isArray(source) ? source : [source]) as readonly (PooledMcpTools | PooledTool)[];
  const issues = sources.flatMap((each, index) =>
    isSource(each) ? [] : [{ path: `tools[${index}]`, message: WRONG }],
  );
  if (issues.length > 0) throw new McpConfigurationError(issues);
  const lists = sources.map((each) => (PooledMcpTools.isInstance(each) ? each.tools(options) : [each]));
  const tools = (await Promise.all(lists)).flat();

  const byName = new Map<string, PooledTool>();
  for (const tool of tools) {
    const other = byName.get(tool.name);
    if (other !== undefined) throw collision(tool, other);
    byName.set(tool.name, tool);
  }
  return tools;
}

const WRONG = "must be what createPooledMcpTools returns, or one of its tools; is there a promise to await?";

function isSource(value: unknown): boolean {
  if (PooledMcpTools.isInstance(value)) return true;
  return typeof value === "object" && value !== null && "toolName" in value && "call" in value;
}

function collision(tool: PooledTool, other: PooledTool): McpConfigurationError {
  const servers =
    tool.serverName === other.serverName
      ? `twice from MCP server "${tool.serverName}"`
      : `from the MCP servers "${other.serverName}" and "${tool.serverName}"`;
  const message = `the tool "${tool.name}" comes ${servers}`;
  return new McpConfigurationError([{ path: "prefix", message, hint: "give one of them another prefix" }]);
}
