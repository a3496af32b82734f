import type { Tool } from "@modelcontextprotocol/client";

/**
 * The tools as they were last listed, for all connections of one authorization context. Some parameters must be repeated
 * as HTTP headers (`x-mcp-header`), also on a connection that never listed anything.
 */
export class ToolDefinitions {
  readonly #tools = new Map<string, Tool>();

  /** Takes note of listed tools; those that are gone are of no harm. */
  learn(tools: readonly Tool[]): void {
    for (const { name, inputSchema } of tools) this.#tools.set(name, { name, inputSchema });
  }

  /** Returns what is known of a tool: never its output schema, since results are checked elsewhere. */
  of(name: string): Tool {
    return this.#tools.get(name) ?? { name, inputSchema: { type: "object" } };
  }
}
