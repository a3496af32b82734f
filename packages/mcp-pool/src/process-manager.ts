import { isDeepStrictEqual } from "node:util";
import { McpManagerConfig } from "@mcp-pool/config";
import { McpConfigurationError } from "@mcp-pool/core";
import {
  type CreateMcpPoolOptions,
  createMcpPool,
  type McpPoolManager,
  type McpPoolSource,
} from "./create-mcp-pool.ts";

let current: { readonly source: McpPoolSource | undefined; readonly manager: Promise<McpPoolManager> } | undefined;

/**
 * Returns the manager of this process, for code that can't pass one along. The first call makes it, for all who call meanwhile.
 * @param source of the first call, or what was put in force since; without one, `MCP_CONFIG_PATH` names the file
 * @throws {McpConfigurationError} without a configuration at the first call, or with another one later
 */
export async function getMcpConnectionManager(
  source?: McpPoolSource,
  options?: CreateMcpPoolOptions,
): Promise<McpPoolManager> {
  if (current === undefined) {
    const created = { source, manager: createMcpPool(source, options) };
    current = created;
    created.manager.catch(() => {
      if (current === created) current = undefined;
    });
  } else if (source !== undefined && !(await isInForce(source, current))) {
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

/** A path stands for a file, whatever has been read from it since; a configuration for what it says now. */
async function isInForce(
  source: McpPoolSource,
  { source: first, manager }: NonNullable<typeof current>,
): Promise<boolean> {
  if (typeof source === "string") return source === first;
  const { config } = await manager;
  // Configurations that were put together can't be looked into, so only the same one is the same.
  const isOpaque = source instanceof McpManagerConfig || config instanceof McpManagerConfig;
  return isOpaque ? source === config : isDeepStrictEqual(source, config);
}
