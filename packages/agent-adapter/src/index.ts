export type { AgentConfig, AgentVersion } from "./agent-file.ts";
export {
  AgentVersionFactory,
  type AgentVersionFactoryOptions,
  type AgentVersionOptions,
  createVersionedAgent,
  type VersionedAgent,
} from "./agent-version-factory.ts";
export { collectTools, type PooledToolSource } from "./collect-tools.ts";
export { createPooledMcpTools } from "./create-pooled-mcp-tools.ts";
export { type McpClientRequestOptions, type PooledMcpClient, toMcpClient } from "./pooled-mcp-client.ts";
export { PooledMcpTools } from "./pooled-mcp-tools.ts";
export type { PooledCallOptions, PooledTool } from "./pooled-tool.ts";
export type { PooledMcpToolsOptions, ToolFilter } from "./pooled-tools-options.ts";
export { type ResolveAgentToolsOptions, resolveAgentTools } from "./resolve-agent-tools.ts";
export type { McpToolManager } from "./tool-manager.ts";
