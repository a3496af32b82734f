import { CONFIG_PATH_VARIABLE } from "./environment.ts";
import { type Environment, type InterpolateOptions, resolveSchemes } from "./interpolation.ts";
import { McpManagerConfig } from "./mcp-manager-config.ts";
import type { McpPoolConfig } from "./mcp-pool-config.ts";
import { Problems } from "./problems.ts";
import { codeLayer, readConfigFiles } from "./read-sources.ts";
import { variableFiles } from "./resolve-entry.ts";

/** Options of {@link loadMcpConfig}. */
export interface LoadMcpConfigOptions {
  /** A YAML or JSON file; an `mcp.json` is one. @default the file that `MCP_CONFIG_PATH` names, or none */
  readonly path?: string | undefined;
  /** Supplies `MCP_…` variables, and what `${NAME}` stands for. @default process.env */
  readonly env?: Environment | undefined;
  /** A catalog of servers; goes before the `mcpConfigPath` of the file. */
  readonly catalogPath?: string | undefined;
  /** Goes before all other sources. */
  readonly overrides?: McpPoolConfig | undefined;
  /** Supplies what references such as `${input:id}` stand for. */
  readonly interpolate?: InterpolateOptions | undefined;
}

/**
 * Reads one configuration from a file, a catalog, the environment and code, and checks it.
 * @throws {McpConfigurationError} which lists every problem, with file, line and column where there is a file
 */
export async function loadMcpConfig(options: LoadMcpConfigOptions = {}): Promise<McpManagerConfig> {
  const { env = process.env, catalogPath, overrides = {}, interpolate = {} } = options;
  const path = options.path ?? (env[CONFIG_PATH_VARIABLE] || undefined);
  const read = readConfigFiles({ path, catalogPath, overrides });
  const own = codeLayer(overrides, new Problems()).servers;
  const entries = [...read.catalog, ...(read.file?.servers ?? []), ...own];
  const resolved = await resolveSchemes(entries, interpolate);
  const { unset = "error", input, resolve } = interpolate;
  const lookup = { unset, resolved, hasInput: input !== undefined, hasResolve: resolve !== undefined };
  const files = { ...read, paths: [...new Set([...read.paths, ...variableFiles(entries, { ...lookup, env })])] };
  const config = new McpManagerConfig(overrides, { env, files, lookup });
  config.resolve();
  return config;
}
