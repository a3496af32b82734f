import { type CallToolResult, McpConfigurationError } from "@mcp-pool/core";
import { collectTools, type PooledToolSource } from "../collect-tools.ts";
import type { PooledTool } from "../pooled-tool.ts";

/** What is needed of a Genkit instance. */
export interface GenkitLike<Tool> {
  dynamicTool(config: GenkitToolConfig, run: (input: unknown, options: GenkitRunOptions) => Promise<unknown>): Tool;
}

/** What Genkit is told of a tool. */
export interface GenkitToolConfig {
  name: string;
  description: string;
  inputJsonSchema: PooledTool["inputSchema"];
  metadata: Record<string, unknown>;
}

/** What Genkit tells a tool of its run. */
export interface GenkitRunOptions {
  readonly abortSignal?: AbortSignal | undefined;
  readonly context?: { readonly [key: string]: unknown } | undefined;
}

/** Options of {@link toGenkitTools}. */
export interface GenkitToolsOptions {
  /** Ends the listing of the tools. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes dynamic tools for Genkit: `ai.generate({ tools: await toGenkitTools(ai, tools) })`. `context.mcp._meta` of the run
 * becomes the `_meta` of the request, as with Genkit's own MCP plugin. Genkit 1.x keeps the signal of a run from its tools:
 * give it as `context.abortSignal` too, and an abort ends the calls under way.
 * @throws {McpConfigurationError} when two tools have the same name, or without a Genkit instance
 */
export async function toGenkitTools<Tool>(
  ai: GenkitLike<Tool>,
  source: PooledToolSource,
  { signal }: GenkitToolsOptions = {},
): Promise<Tool[]> {
  if (typeof ai?.dynamicTool !== "function") {
    throw new McpConfigurationError([{ path: "ai", message: "must be what genkit() returns; the tools come second" }]);
  }
  return (await collectTools(source, { signal })).map((tool) => genkitTool(ai, tool));
}

function genkitTool<Tool>(ai: GenkitLike<Tool>, tool: PooledTool): Tool {
  const { name, serverName, toolName, description = "", inputSchema, _meta = {} } = tool;
  const metadata = { mcp: { _meta, serverName, toolName } };
  return ai.dynamicTool({ name, description, inputJsonSchema: inputSchema, metadata }, async (input, run) => {
    const options = { signal: signalOf(run), meta: metaOf(run.context) };
    return output(await tool.call(input as Record<string, unknown>, options));
  });
}

function signalOf({ abortSignal, context }: GenkitRunOptions): AbortSignal | undefined {
  const signals = [abortSignal, context?.abortSignal].filter((signal) => signal instanceof AbortSignal);
  return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
}

function metaOf(context: GenkitRunOptions["context"]): Record<string, unknown> | undefined {
  const mcp: unknown = context?.mcp;
  const meta: unknown = typeof mcp === "object" && mcp !== null && "_meta" in mcp ? mcp._meta : undefined;
  return typeof meta === "object" && meta !== null ? { ...meta } : undefined;
}

/** Says what a model is told of a result, as Genkit's own MCP plugin does. */
function output(result: CallToolResult): unknown {
  const { content, structuredContent, isError } = result;
  const text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
  if (isError) return { error: text };
  if (structuredContent !== undefined) return structuredContent;
  if (content.every((block) => block.type === "text" && block.text !== "")) return parsed(text);
  return content.length === 1 ? content[0] : result;
}

function parsed(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
