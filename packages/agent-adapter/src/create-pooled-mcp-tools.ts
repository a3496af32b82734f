import { PooledMcpTools } from "./pooled-mcp-tools.ts";
import type { PooledMcpToolsOptions } from "./pooled-tools-options.ts";

/**
 * Offers the tools of a pooled server to agents. Nothing is opened before they are first used.
 * @param server name of a server of the manager's configuration; an unknown one is an error at the first use
 * @throws {McpConfigurationError} for bad options, or when no manager is given and the process has none
 */
export function createPooledMcpTools(server: string, options: PooledMcpToolsOptions = {}): PooledMcpTools {
  return new PooledMcpTools(server, options);
}
