import { mcpTool } from "@anthropic-ai/sdk/helpers/beta/mcp";
import type { BetaRunnableTool } from "@anthropic-ai/sdk/lib/tools/BetaRunnableTool";
import { collectTools, type PooledToolSource } from "../collect-tools.ts";
import type { PooledTool } from "../pooled-tool.ts";

/** Options of {@link toAnthropicTools}. */
export interface AnthropicToolsOptions {
  /** Ends the listing of the tools. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes tools for the tool runner of Anthropic's SDK: `client.beta.messages.toolRunner({ tools })`. Results and errors are
 * mapped by the SDK's own helper; unlike with that alone, an abort of the run ends the call.
 * @throws {McpConfigurationError} when two tools have the same name
 */
export async function toAnthropicTools(
  source: PooledToolSource,
  { signal }: AnthropicToolsOptions = {},
): Promise<BetaRunnableTool<Record<string, unknown>>[]> {
  return (await collectTools(source, { signal })).map(anthropicTool);
}

function anthropicTool(tool: PooledTool): BetaRunnableTool<Record<string, unknown>> {
  const mapped = (signal?: AbortSignal) =>
    mcpTool(tool, { callTool: ({ arguments: args }) => tool.call(args, { signal }) });
  return { ...mapped(), run: (args, context) => mapped(context?.signal ?? undefined).run(args, context) };
}
