import { isDeepStrictEqual } from "node:util";
import { McpManagerConfig } from "@mcp-pool/config";
import { claimProcessManagers, McpConfigurationError } from "@mcp-pool/core";
import type { McpMetricsCollector } from "@mcp-pool/metrics-otel/collector";
import {
  type CreateMcpPoolOptions,
  createManager,
  type McpPoolManager,
  type McpPoolSource,
} from "./create-mcp-pool.ts";
import { createCollector } from "./metrics.ts";

let collector: McpMetricsCollector | undefined;
let current: { readonly source: McpPoolSource | undefined; readonly manager: Promise<McpPoolManager> } | undefined;

/** Another copy of this package may have been first; then its manager is that of this process. */
const managers = claimProcessManagers({ get: getOwn, shutdown: shutdownOwn, collector: ownCollector });

/**
 * Returns the manager of this process, for code that can't pass one along. The first call makes it, for all who call meanwhile.
 * @param source of the first call, or what was put in force since; without one, `MCP_CONFIG_PATH` names the file
 * @throws {McpConfigurationError} without a configuration at the first call, or with another one later
 */
export async function getMcpConnectionManager(
  source?: McpPoolSource,
  options?: CreateMcpPoolOptions,
): Promise<McpPoolManager> {
  return managers.get(source, options);
}

/** Closes the manager of this process, if there is one; the next {@link getMcpConnectionManager} makes a new one. */
export async function shutdownMcpConnectionManager(options?: { readonly drainTimeoutMs?: number }): Promise<void> {
  await managers.shutdown(options);
}

/** Returns the collector of the manager of this process; also before there is one, and after it is closed. */
export function getMetricsCollector(): McpMetricsCollector {
  return managers.collector();
}

async function getOwn(source?: McpPoolSource, options?: CreateMcpPoolOptions): Promise<McpPoolManager> {
  if (current === undefined) {
    const created = { source, manager: createManager(source, options ?? {}, ownCollector()) };
    current = created;
    created.manager.catch(() => {
      if (current === created) current = undefined;
    });
    return created.manager;
  }
  // It may be shut down while it is looked at.
  const found = current;
  if (source === undefined || (await isInForce(source, found))) return found.manager;
  throw new McpConfigurationError([
    { path: "", message: "the manager of this process has another configuration; shut it down first, or reload it" },
  ]);
}

function ownCollector(): McpMetricsCollector {
  collector ??= createCollector();
  return collector;
}

async function shutdownOwn(options?: { readonly drainTimeoutMs?: number }): Promise<void> {
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
