import {
  type ConfigTranslator,
  type Connector,
  type Issue,
  McpConnectionManager,
  type McpManagerSettings,
  type McpServerDefinition,
  type PoolOptions,
  type PoolPlugin,
} from "@mcp-pool/core";
import type { McpAddedServerConfig, McpPoolConfig, McpServerConfig, ServerSpecificConfig } from "./config.ts";
import { interpolate } from "./interpolate.ts";
import { RESILIENCE_KEYS, RESILIENCE_SETTINGS, resiliencePlugins, settingsIssues, without } from "./resilience.ts";
import { connectionKey, isRecord, toConnector } from "./to-connector.ts";

/** What {@link createMcpPool} takes beside the configuration. */
export interface CreateMcpPoolOptions {
  /** Makes the connector of a server in place of the built-in one; `undefined` leaves it to that. */
  readonly connector?: ((serverName: string, config: McpServerConfig) => Connector | undefined) | undefined;
  /** Extend every pool, or each server's pools their own way; one with the name of a built-in plugin takes its place. */
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
const SPECIFIC_KEYS = [
  "pool",
  "priority",
  "tags",
  "maxConcurrentRequests",
  "requestTimeoutMs",
  "identityRequired",
  "tools",
  "trustAnnotations",
  "onCircuitOpen",
];

/** Stands in for the connector of a server whose configuration is bad, so that the rest of it is checked too. */
const NOWHERE: Connector = { connect: () => Promise.reject(new Error("the server's configuration is bad")) };

function translator(options: CreateMcpPoolOptions): ConfigTranslator<McpPoolConfig, McpAddedServerConfig> {
  const { env = process.env, plugins } = options;
  /** What applies to servers that are added later, too. */
  let shared: Pick<CheckedShape, "pool" | "settings"> = { pool: undefined, settings: undefined };

  function define(name: string, raw: unknown, specific: unknown, issues: Issue[]): McpServerDefinition {
    const path = `mcpServers.${name}`;
    const found: Issue[] = [];
    const config = interpolate(raw as McpServerConfig, env, path, found);
    const given = found.length > 0 ? NOWHERE : options.connector?.(name, config);
    const connector = given ?? toConnector(config, path, found) ?? NOWHERE;
    issues.push(...found);
    const specificPath = `serverConfigs.${name}`;
    const { pool, ...rest } = pick(specific, specificPath, issues);
    const taken = new Set((typeof plugins === "function" ? plugins(name) : (plugins ?? [])).map((each) => each.name));
    const resilience = resiliencePlugins(
      { path: "pool", pool: shared.pool },
      { path: `${specificPath}.pool`, pool },
      shared.settings,
      taken,
      issues,
    );
    const own = without(pool, RESILIENCE_KEYS) as PoolOptions | undefined;
    return {
      ...rest,
      ...(pool !== undefined && { pool: own }),
      connector,
      connectionKey: connectionKey(config),
      ...resilience,
    };
  }

  return {
    serverPath: (name) => `serverConfigs.${name}`,
    manager(config, issues) {
      const { mcpServers, serverConfigs, pool, settings } = checkShape(config, issues);
      issues.push(...settingsIssues(settings));
      shared = { pool, settings };
      const servers = Object.entries(mcpServers).map(([name, server]) => {
        const specific = Object.hasOwn(serverConfigs, name) ? serverConfigs[name] : {};
        return [name, define(name, server, specific, issues)] as const;
      });
      return {
        servers: Object.fromEntries(servers),
        pool: without(pool, RESILIENCE_KEYS) as PoolOptions | undefined,
        settings: without(settings, RESILIENCE_SETTINGS) as McpManagerSettings | undefined,
        plugins,
      };
    },
    server(name, config, issues) {
      if (!isRecord(config)) return define(name, config, {}, issues);
      const isSpecific = ([key]: readonly [string, unknown]) => SPECIFIC_KEYS.includes(key);
      const entries = Object.entries(config);
      const specific = Object.fromEntries(entries.filter(isSpecific));
      return define(name, Object.fromEntries(entries.filter((entry) => !isSpecific(entry))), specific, issues);
    },
  };
}

interface CheckedShape extends Pick<McpPoolConfig, "pool" | "settings"> {
  readonly mcpServers: Readonly<Record<string, unknown>>;
  readonly serverConfigs: Readonly<Record<string, unknown>>;
}

/** Checks the outermost level. What is of no use there counts as empty, so that the rest is checked too. */
function checkShape(config: unknown, issues: Issue[]): CheckedShape {
  const given = isRecord(config) ? config : {};
  if (given.mcpServers === undefined) {
    issues.push({ path: "mcpServers", message: "is missing: the configuration names its servers there" });
  }
  for (const key of Object.keys(given)) {
    if (!CONFIG_KEYS.includes(key)) {
      issues.push({ path: key, message: `is not known; there are ${CONFIG_KEYS.join(", ")}` });
    }
  }
  const [mcpServers, serverConfigs] = ["mcpServers", "serverConfigs"].map((path) => {
    const value = given[path] === undefined ? {} : given[path];
    if (isRecord(value)) return value;
    issues.push({ path, message: "must be an object with the names of servers as keys" });
    return {};
  }) as [CheckedShape["mcpServers"], CheckedShape["serverConfigs"]];
  for (const name of Object.keys(serverConfigs)) {
    if (Object.hasOwn(mcpServers, name)) continue;
    const known = Object.keys(mcpServers).join(", ") || "none";
    issues.push({ path: `serverConfigs.${name}`, message: `there is no such server; known: ${known}` });
  }
  const { pool, settings } = given as Partial<McpPoolConfig>;
  return { mcpServers, serverConfigs, pool, settings };
}

/** Returns the known settings of one server. */
function pick(specific: unknown, path: string, issues: Issue[]): ServerSpecificConfig {
  if (!isRecord(specific)) {
    issues.push({ path, message: "must be an object" });
    return {};
  }
  const isKnown = (key: string) => SPECIFIC_KEYS.includes(key);
  for (const key of Object.keys(specific)) {
    if (!isKnown(key)) issues.push({ path: `${path}.${key}`, message: "is not known here" });
  }
  return Object.fromEntries(Object.entries(specific).filter(([key]) => isKnown(key)));
}
