import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createMcpPool, type McpPoolManager } from "mcp-pool";

const manifest = createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/package.json");

/** Starts the reference server over stdio, as every MCP client takes it. */
export const EVERYTHING: { readonly command: string; readonly args: string[] } = {
  command: process.execPath,
  args: [join(dirname(manifest), "dist/index.js"), "stdio"],
};

/** Makes a pool of one connection to the reference server. */
export function everythingPool(): Promise<McpPoolManager> {
  return createMcpPool({
    mcpServers: { everything: EVERYTHING },
    pool: { minConnections: 0, maxConnections: 1 },
    settings: { logLevel: "error" },
  });
}
