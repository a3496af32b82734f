import {
  type Environment,
  type InterpolateOptions,
  loadMcpConfig,
  McpManagerConfig,
  type McpPoolConfig,
  type McpServerConfig,
  type McpSettings,
  type NamedServerConfig,
  type ResolvedMcpConfig,
  type ResolvedServerConfig,
  type ServerSpecificConfig,
} from "@mcp-pool/config";
import type { AuthProviderFactory } from "@mcp-pool/connector";
import {
  type ClientHandlers,
  type ConfigTranslator,
  type Connector,
  McpConfigurationError,
  McpConnectionManager,
  type McpServerDefinition,
  type PoolPlugin,
} from "@mcp-pool/core";
import type { McpMetricsCollector } from "@mcp-pool/metrics-otel/collector";
import { checkOptions } from "./check-options.ts";
import { EventLog } from "./event-log.ts";
import type { Logger } from "./logger.ts";
import { createCollector, ManagerMetrics, type Telemetry } from "./metrics.ts";
import { issuesOf } from "./paths-of-issues.ts";
import { type CredentialsSource, serverDefinition } from "./server-definition.ts";

/** What {@link createMcpPool} takes beside the configuration. */
export interface CreateMcpPoolOptions extends Telemetry {
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
  /**
   * Answer what servers ask of their client: sampling, elicitation, roots; for all servers, or by name. A server is told of
   * the features it has handlers for. Leases and calls may bring their own. @default none
   */
  readonly handlers?: ClientHandlers | ((serverName: string) => ClientHandlers | undefined) | undefined;
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
export type McpPoolManager = McpConnectionManager<McpPoolConfig | McpManagerConfig, McpAddedServerConfig> & {
  /** Collects the figures of this manager's pools. */
  readonly metrics: McpMetricsCollector;
};

/**
 * Composes the full stack. Nothing is opened yet: servers connect on first use, or at `manager.warmUp()`.
 * @param source nothing stands for the file that `MCP_CONFIG_PATH` names
 * @throws {McpConfigurationError} which lists every problem, each with its path, and with file and line where there is a file
 */
export async function createMcpPool(
  source?: McpPoolSource,
  options: CreateMcpPoolOptions = {},
): Promise<McpPoolManager> {
  return createManager(source, options, createCollector());
}

/** Does what {@link createMcpPool} does, with a given collector. */
export async function createManager(
  source: McpPoolSource | undefined,
  options: CreateMcpPoolOptions,
  collector: McpMetricsCollector,
): Promise<McpPoolManager> {
  checkOptions(options);
  const config = await loadSource(source, options);
  const manager = new McpConnectionManager(config, translator(options, new ManagerMetrics(collector, options)));
  collector.attach(manager);
  return Object.assign(manager, { metrics: collector });
}

async function loadSource(
  source: McpPoolSource | undefined,
  { env = process.env, interpolate }: CreateMcpPoolOptions,
): Promise<McpPoolConfig | McpManagerConfig> {
  if (source === undefined || typeof source === "string") {
    const path = source ?? env.MCP_CONFIG_PATH;
    if (path === undefined || path === "") {
      const message = "the pool needs a configuration: none was given, and MCP_CONFIG_PATH names no file";
      throw new McpConfigurationError([{ path: "", message }]);
    }
    return loadMcpConfig({ path, env, interpolate });
  }
  return source;
}

function translator(
  options: CreateMcpPoolOptions,
  metrics: ManagerMetrics,
): ConfigTranslator<McpPoolConfig | McpManagerConfig, McpAddedServerConfig> {
  const { env = process.env, credentials, authProvider } = options;
  const log = new EventLog(options.logger);
  let current = new McpManagerConfig({}, { env });
  let accept = () => {};

  function own(serverName: string): readonly PoolPlugin[] {
    return typeof options.plugins === "function" ? options.plugins(serverName) : (options.plugins ?? []);
  }

  function plugins(serverName: string, settings: McpSettings): readonly PoolPlugin[] {
    const brought = own(serverName);
    return [...metrics.plugins(settings, new Set(brought.map(({ name }) => name))), ...brought, log.plugin];
  }

  function handlersOf(serverName: string): ClientHandlers | undefined {
    return typeof options.handlers === "function" ? options.handlers(serverName) : options.handlers;
  }

  function define(resolved: ResolvedMcpConfig): Readonly<Record<string, McpServerDefinition>> {
    const { enableMetrics = true, sdk = "v1" } = resolved.settings;
    const servers = [...resolved.servers].map(([name, server]) => {
      const definition = serverDefinition(server, {
        connector: options.connector,
        plugins: own(name),
        handlers: handlersOf(name),
        sdk,
        credentials,
        authProvider,
      });
      return [name, { ...definition, pluginKey: `${definition.pluginKey} metrics=${enableMetrics}` }] as const;
    });
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
        accept = () => {
          log.setLevel(logLevel);
          metrics.configure(resolved.settings);
          current = config;
        };
        return {
          servers,
          settings: { maxTotalConnections, cleanupIntervalMs },
          plugins: (name) => plugins(name, resolved.settings),
        };
      } catch (error) {
        issues.push(...issuesOf(error));
        return {};
      }
    },
    accepted: () => accept(),
    server(name, config, issues) {
      try {
        const named = { ...config, serverName: name } as NamedServerConfig;
        const definition = define(current.clone().addServerConfig(named).resolve())[name];
        if (definition !== undefined) return definition;
        issues.push({ path: `mcpServers.${name}`, message: "must have a command or a url" });
      } catch (error) {
        issues.push(...issuesOf(error));
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
