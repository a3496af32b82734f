import "./patience.ts";
import { fileURLToPath } from "node:url";
import { createMcpPool, type McpPoolManager } from "mcp-pool";

const manifest = import.meta.resolve("@modelcontextprotocol/server-everything/package.json");

/** Starts the reference server over stdio, as every MCP client takes it. */
export const EVERYTHING: { readonly command: string; readonly args: string[] } = {
  command: process.execPath,
  args: [fileURLToPath(new URL("dist/index.js", manifest)), "stdio"],
};

/** Makes a pool of one connection to the reference server. */
export function everythingPool(): Promise<McpPoolManager> {
  return createMcpPool({
    mcpServers: { everything: EVERYTHING },
    pool: { minConnections: 0, maxConnections: 1 },
    settings: { logLevel: "error" },
  });
}
