import { isDeepStrictEqual } from "node:util";
import { McpConfigurationError } from "@mcp-pool/core";
import type { McpPoolConfig } from "./config.ts";
import { type CreateMcpPoolOptions, createMcpPool, type McpPoolManager } from "./create-mcp-pool.ts";

let current: { readonly source: McpPoolConfig; readonly manager: Promise<McpPoolManager> } | undefined;

/**
 * Returns the manager of this process, for code that can't pass one along. The first call makes it, for all who call meanwhile.
 * @throws {McpConfigurationError} without a configuration at the first call, or with another one later
 */
export async function getMcpConnectionManager(
  source?: McpPoolConfig,
  options?: CreateMcpPoolOptions,
): Promise<McpPoolManager> {
  if (current === undefined) {
    if (source === undefined) {
      throw new McpConfigurationError([
        { path: "", message: "the first call of getMcpConnectionManager() needs a configuration" },
      ]);
    }
    const created = { source, manager: createMcpPool(source, options) };
    current = created;
    created.manager.catch(() => {
      if (current === created) current = undefined;
    });
  } else if (source !== undefined && !isDeepStrictEqual(source, current.source)) {
    throw new McpConfigurationError([
      { path: "", message: "the manager of this process has another configuration; shut it down first, or reload it" },
    ]);
  }
  return current.manager;
}

/** Closes the manager of this process, if there is one; the next {@link getMcpConnectionManager} makes a new one. */
export async function shutdownMcpConnectionManager(options?: { readonly drainTimeoutMs?: number }): Promise<void> {
  const closing = current;
  current = undefined;
  // One that could not be made needs no closing; whoever asked for it was told.
  const manager = await closing?.manager.catch(() => undefined);
  await manager?.close(options);
}
