import {
  type Environment,
  type InterpolateOptions,
  loadMcpConfig,
  McpManagerConfig,
  type McpPoolConfig,
  type McpServerConfig,
  type NamedServerConfig,
  type ResolvedMcpConfig,
  type ResolvedServerConfig,
  type ServerSpecificConfig,
} from "@mcp-pool/config";
import type { AuthProviderFactory } from "@mcp-pool/connector";
import {
  type ConfigTranslator,
  type Connector,
  McpConfigurationError,
  McpConnectionManager,
  type McpServerDefinition,
  type PoolPlugin,
} from "@mcp-pool/core";
import { EventLog } from "./event-log.ts";
import type { Logger } from "./logger.ts";
import { type CredentialsSource, serverDefinition } from "./server-definition.ts";

/** What {@link createMcpPool} takes beside the configuration. */
export interface CreateMcpPoolOptions {
  /** Makes the connector of a server in place of the built-in one; `undefined` leaves it to that. Mocks go before it. */
  readonly connector?: ((serverName: string, config: ResolvedServerConfig) => Connector | undefined) | undefined;
  /**
   * Supplies what a server is told of an identity: HTTP headers, asked for with each HTTP request and again after a 401, or
   * environment variables, asked for with each process. They go on top of those of the configuration.
   */
  readonly credentials?: CredentialsSource | undefined;
  /** Names the SDK's OAuth provider of a server and an identity, the same object each time; `undefined` means no OAuth. */
  readonly authProvider?: AuthProviderFactory | undefined;
  /** Extend every pool, or each server's pools their own way; one with the name of a built-in plugin takes its place. */
  readonly plugins?: readonly PoolPlugin[] | ((serverName: string) => readonly PoolPlugin[]) | undefined;
  /** Supplies `MCP_…` variables, and what `${NAME}` stands for. @default the environment of this process */
  readonly env?: Environment | undefined;
  /** Supplies what references such as `${input:id}` stand for, in files. */
  readonly interpolate?: InterpolateOptions | undefined;
  /** Is told what happens, from `settings.logLevel` on. @default stderr, once a log level is set */
  readonly logger?: Logger | undefined;
}

/** What a manager can be made from: the path of a file, a configuration, or one that was loaded or put together. */
export type McpPoolSource = string | McpPoolConfig | McpManagerConfig;

/** One server, as `manager.addServer(name, config)` takes it. */
export type McpAddedServerConfig = McpServerConfig & Omit<ServerSpecificConfig, "serverName">;

/** The manager of the full stack: `reload` takes a configuration, `addServer` a server and how to pool it. */
export type McpPoolManager = McpConnectionManager<McpPoolConfig | McpManagerConfig, McpAddedServerConfig>;

/**
 * Composes the full stack. Nothing is opened yet: servers connect on first use, or at `manager.warmUp()`.
 * @param source nothing stands for the file that `MCP_CONFIG_PATH` names
 * @throws {McpConfigurationError} which lists every problem, each with its path, and with file and line where there is a file
 */
export async function createMcpPool(
  source?: McpPoolSource,
  options: CreateMcpPoolOptions = {},
): Promise<McpPoolManager> {
  const { env = process.env, interpolate } = options;
  if (source === undefined || typeof source === "string") {
    const path = source ?? env.MCP_CONFIG_PATH;
    if (path === undefined || path === "") {
      const message = "the pool needs a configuration: none was given, and MCP_CONFIG_PATH names no file";
      throw new McpConfigurationError([{ path: "", message }]);
    }
    const config = await loadMcpConfig({ path, env, interpolate });
    return new McpConnectionManager(config, translator(options));
  }
  return new McpConnectionManager(source, translator(options));
}

function translator(
  options: CreateMcpPoolOptions,
): ConfigTranslator<McpPoolConfig | McpManagerConfig, McpAddedServerConfig> {
  const { env = process.env, credentials, authProvider } = options;
  const factories = { credentials, authProvider };
  const log = new EventLog(options.logger);
  let current = new McpManagerConfig({}, { env });

  function own(serverName: string): readonly PoolPlugin[] {
    return typeof options.plugins === "function" ? options.plugins(serverName) : (options.plugins ?? []);
  }

  function plugins(serverName: string): readonly PoolPlugin[] {
    return [...own(serverName), log.plugin];
  }

  function define(resolved: ResolvedMcpConfig): Readonly<Record<string, McpServerDefinition>> {
    const servers = [...resolved.servers].map(
      ([name, server]) => [name, serverDefinition(server, options.connector, own(name), factories)] as const,
    );
    return Object.fromEntries(servers);
  }

  return {
    serverPath: (name) => `serverConfigs.${name}`,
    manager(source, issues) {
      try {
        const config = source instanceof McpManagerConfig ? source : new McpManagerConfig(source, { env });
        const resolved = resolveSource(source, config);
        const servers = define(resolved);
        const { maxTotalConnections, cleanupIntervalMs, logLevel } = resolved.settings;
        log.setLevel(logLevel);
        current = config;
        return { servers, settings: { maxTotalConnections, cleanupIntervalMs }, plugins };
      } catch (error) {
        if (!(error instanceof McpConfigurationError)) throw error;
        issues.push(...error.issues);
        return {};
      }
    },
    server(name, config, issues) {
      try {
        const named = { ...config, serverName: name } as NamedServerConfig;
        const definition = define(current.clone().addServerConfig(named).resolve())[name];
        if (definition !== undefined) return definition;
        issues.push({ path: `mcpServers.${name}`, message: "must have a command or a url" });
      } catch (error) {
        if (!(error instanceof McpConfigurationError)) throw error;
        issues.push(...error.issues);
      }
      return { connector: NOWHERE };
    },
  };
}

/** Stands in for the connector of a server whose configuration is bad; it is refused before it is used. */
const NOWHERE: Connector = { connect: () => Promise.reject(new Error("the server's configuration is bad")) };

/** A pool without servers is allowed only where that was written. */
function resolveSource(source: unknown, config: McpManagerConfig): ResolvedMcpConfig {
  const resolved = config.resolve();
  const isWritten =
    typeof source === "object" && source !== null && "mcpServers" in source && source.mcpServers !== undefined;
  if (resolved.servers.size === 0 && !isWritten) {
    const message = "is missing: the configuration names its servers there, or in the file that mcpConfigPath names";
    throw new McpConfigurationError([{ path: "mcpServers", message }]);
  }
  return resolved;
}
