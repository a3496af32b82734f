import { DynamicStructuredTool } from "@langchain/core/tools";
import { collectTools, type PooledToolSource } from "../collect-tools.ts";
import type { PooledTool } from "../pooled-tool.ts";
import { type ContentAndArtifact, contentAndArtifact } from "./content-and-artifact.ts";
import { ToolException } from "./tool-exception.ts";

/** Options of {@link toLangChainTools}. */
export interface LangChainToolsOptions {
  /** Time for one call in milliseconds, where the configuration of the call gives none. @default the pool's `requestTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Ends the listing of the tools. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes tools for LangChain and LangGraph. LangChain checks arguments against the server's schema before it calls.
 * @throws {McpConfigurationError} when two tools have the same name
 */
export async function toLangChainTools(
  source: PooledToolSource,
  { timeoutMs, signal }: LangChainToolsOptions = {},
): Promise<DynamicStructuredTool[]> {
  return (await collectTools(source, { signal })).map((tool) => langChainTool(tool, timeoutMs));
}

function langChainTool(tool: PooledTool, timeoutMs: number | undefined): DynamicStructuredTool {
  const { name, serverName, toolName, description = "", inputSchema, annotations } = tool;
  return new DynamicStructuredTool({
    name,
    description,
    // A copy: LangChain's validator writes into the schema.
    schema: structuredClone({ ...inputSchema }),
    responseFormat: "content_and_artifact",
    metadata: { annotations, serverName, toolName },
    ...(timeoutMs === undefined ? {} : { defaultConfig: { timeout: timeoutMs } }),
    func: (args: Record<string, unknown>, _runManager, config) => call(tool, args, config),
  });
}

async function call(
  tool: PooledTool,
  args: Record<string, unknown>,
  config: {
    readonly signal?: AbortSignal;
    readonly timeout?: number;
    readonly metadata?: Record<string, unknown>;
  } = {},
): Promise<ContentAndArtifact> {
  const { signal, timeout, metadata } = config;
  const timeoutMs = typeof metadata?.timeoutMs === "number" ? metadata.timeoutMs : timeout;
  try {
    return contentAndArtifact(tool, await tool.call(args, { signal, timeoutMs }));
  } catch (error) {
    // An abort is the caller's own doing, and no failure of the tool.
    if (error instanceof ToolException || signal?.aborted) throw error;
    throw new ToolException(`Error calling tool ${tool.name}: ${String(error)}`, { cause: error });
  }
}
