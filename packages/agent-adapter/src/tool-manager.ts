import { McpConfigurationError, type McpConnectionManager, processManagers } from "@mcp-pool/core";

/** What this package needs of a connection manager. */
export type McpToolManager = Pick<
  McpConnectionManager,
  | "callTool"
  | "complete"
  | "getPrompt"
  | "listPrompts"
  | "listResources"
  | "listResourceTemplates"
  | "listTools"
  | "readResource"
  | "servers"
>;

/**
 * Returns a function that brings the given manager, or that of the process, which is made when first needed.
 * @throws {McpConfigurationError} at once, when none is given and nobody holds the manager of the process
 */
export function managerSource(manager: McpToolManager | undefined): () => Promise<McpToolManager> {
  if (manager !== undefined) return async () => manager;
  const managers = processManagers();
  if (managers !== undefined) return () => managers.get();
  const message = 'none was given, and this process has none; pass one, or import "mcp-pool" first';
  throw new McpConfigurationError([{ path: "manager", message }]);
}
