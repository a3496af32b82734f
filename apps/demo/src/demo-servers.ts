import type { McpPoolConfig } from "mcp-pool";
import { type ServerProgram, serverProgram } from "./server-program.ts";

/** Names of the servers in the demo. */
export const STDIO = "everything-stdio";
export const HTTP = "everything-http";
export const MEMORY = "memory-stdio";

const everything = import.meta.resolve("@modelcontextprotocol/server-everything/package.json");
export const everythingOverStdio: ServerProgram = serverProgram(everything, "stdio");
export const everythingOverHttp: ServerProgram = serverProgram(everything, "streamableHttp");
const memory = serverProgram(import.meta.resolve("@modelcontextprotocol/server-memory/package.json"));

/**
 * The configuration of the pool, as an application would write it.
 * @param env marks every process of this run
 */
export function poolConfig(url: string, memoryFile: string, env: Readonly<Record<string, string>>): McpPoolConfig {
  return {
    mcpServers: {
      [STDIO]: { ...everythingOverStdio, env },
      [HTTP]: { type: "http", url },
      [MEMORY]: { ...memory, env: { ...env, MEMORY_FILE_PATH: memoryFile } },
    },
    serverConfigs: {
      // Two processes serve all callers, since each answers many requests at a time.
      [STDIO]: { pool: { minConnections: 2, maxConnections: 2, maxRequestsPerConnection: 8 } },
      [HTTP]: { pool: { minConnections: 1, maxConnections: 2, maxRequestsPerConnection: 16 } },
      // This server reads, changes and writes one file: two calls at a time would lose data, so the others wait in line.
      [MEMORY]: { pool: { minConnections: 1, maxConnections: 1, maxRequestsPerConnection: 1 } },
    },
  };
}
