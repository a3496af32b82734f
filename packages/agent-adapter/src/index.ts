export { collectTools, type PooledToolSource } from "./collect-tools.ts";
export { createPooledMcpTools } from "./create-pooled-mcp-tools.ts";
export { type McpClientRequestOptions, type PooledMcpClient, toMcpClient } from "./pooled-mcp-client.ts";
export { PooledMcpTools } from "./pooled-mcp-tools.ts";
export type { PooledCallOptions, PooledTool } from "./pooled-tool.ts";
export type { PooledMcpToolsOptions, ToolFilter } from "./pooled-tools-options.ts";
export type { McpToolManager } from "./tool-manager.ts";
