import {
  type ConfigTranslator,
  type Connector,
  type Issue,
  McpConfigurationError,
  McpConnectionManager,
  type McpServerDefinition,
  type PoolPlugin,
} from "@mcp-pool/core";
import type { McpAddedServerConfig, McpPoolConfig, McpServerConfig, ServerSpecificConfig } from "./config.ts";
import { interpolate } from "./interpolate.ts";
import { connectionKey, toConnector } from "./to-connector.ts";

/** What {@link createMcpPool} takes beside the configuration. */
export interface CreateMcpPoolOptions {
  /** Makes the connector of a server in place of the built-in one; `undefined` leaves it to that. */
  readonly connector?: ((serverName: string, config: McpServerConfig) => Connector | undefined) | undefined;
  /** Extend every pool, or each server's pools their own way. */
  readonly plugins?: readonly PoolPlugin[] | ((serverName: string) => readonly PoolPlugin[]) | undefined;
  /** Variables for `${NAME}` in the configuration. @default the environment of this process */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** The manager of the full stack: `addServer` and `reload` take the same configuration as {@link createMcpPool}. */
export type McpPoolManager = McpConnectionManager<McpPoolConfig, McpAddedServerConfig>;

/**
 * Composes the full stack. Nothing is opened yet: servers connect on first use, or at `manager.warmUp()`.
 * @throws {McpConfigurationError} which lists every problem, each with its path
 */
export async function createMcpPool(
  config: McpPoolConfig,
  options: CreateMcpPoolOptions = {},
): Promise<McpPoolManager> {
  return new McpConnectionManager(config, translator(options));
}

const CONFIG_KEYS = ["mcpServers", "pool", "serverConfigs", "settings"];
const SPECIFIC_KEYS = ["pool", "priority", "tags", "maxConcurrentRequests", "requestTimeoutMs", "identityRequired"];

function translator(options: CreateMcpPoolOptions): ConfigTranslator<McpPoolConfig, McpAddedServerConfig> {
  const { env = process.env, plugins } = options;

  function define(
    name: string,
    raw: McpServerConfig,
    path: string,
    specific: ServerSpecificConfig = {},
  ): McpServerDefinition {
    const issues: Issue[] = [];
    const config = interpolate(raw, env, path, issues);
    if (issues.length > 0) throw new McpConfigurationError(issues);
    const connector = options.connector?.(name, config) ?? toConnector(config, path);
    return { ...specific, connector, connectionKey: connectionKey(config) };
  }

  return {
    manager(config) {
      const issues: Issue[] = [];
      checkShape(config, issues);
      const { mcpServers = {}, serverConfigs = {}, pool, settings } = config ?? {};
      const servers = Object.entries(mcpServers).map(([name, server]) => {
        try {
          return [name, define(name, server, `mcpServers.${name}`, serverConfigs[name])] as const;
        } catch (error) {
          if (!(error instanceof McpConfigurationError)) throw error;
          issues.push(...error.issues);
          return [name, undefined] as const;
        }
      });
      if (issues.length > 0) throw new McpConfigurationError(issues);
      const defined = servers.flatMap(([name, server]) => (server === undefined ? [] : [[name, server] as const]));
      return { servers: Object.fromEntries(defined), pool, settings, plugins };
    },
    server(name, config) {
      const isSpecific = ([key]: readonly [string, unknown]) => SPECIFIC_KEYS.includes(key);
      const entries = Object.entries(config);
      const transport = Object.fromEntries(entries.filter((entry) => !isSpecific(entry))) as unknown as McpServerConfig;
      return define(name, transport, name, Object.fromEntries(entries.filter(isSpecific)));
    },
  };
}

function checkShape(config: unknown, issues: Issue[]): void {
  if (typeof config !== "object" || config === null || !("mcpServers" in config)) {
    issues.push({ path: "mcpServers", message: "is missing: the configuration names its servers there" });
    return;
  }
  for (const key of Object.keys(config)) {
    if (!CONFIG_KEYS.includes(key))
      issues.push({ path: key, message: `is not known; there are ${CONFIG_KEYS.join(", ")}` });
  }
  const { mcpServers, serverConfigs } = config as Partial<McpPoolConfig>;
  for (const [name, specific] of Object.entries(serverConfigs ?? {})) {
    const path = `serverConfigs.${name}`;
    if (!Object.hasOwn(mcpServers ?? {}, name)) {
      issues.push({ path, message: `there is no such server; known: ${Object.keys(mcpServers ?? {}).join(", ")}` });
    }
    for (const key of Object.keys(specific ?? {})) {
      if (!SPECIFIC_KEYS.includes(key)) issues.push({ path: `${path}.${key}`, message: "is not known here" });
    }
  }
}
