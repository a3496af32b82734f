import type { Tool } from "@modelcontextprotocol/client";

/**
 * The tools as they were last listed, for all connections of one authorization context. Some parameters must be repeated
 * as HTTP headers (`x-mcp-header`), also on a connection that never listed anything.
 */
export class ToolDefinitions {
  readonly #tools = new Map<string, Tool>();
  #relisting: Promise<void> | undefined;

  /** Takes note of listed tools; those that are gone do no harm. */
  learn(tools: readonly Tool[]): void {
    for (const { name, inputSchema } of tools) this.#tools.set(name, { name, inputSchema });
  }

  /** Returns what is known of a tool: never its output schema, since results are checked elsewhere. */
  of(name: string): Tool | undefined {
    return this.#tools.get(name);
  }

  /** Has the tools listed anew, once for all who ask meanwhile. What that fails with, the next call will meet. */
  relist(list: () => Promise<unknown>): Promise<void> {
    this.#relisting ??= list()
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.#relisting = undefined;
      });
    return this.#relisting;
  }
}
