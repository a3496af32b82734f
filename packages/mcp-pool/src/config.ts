import type { McpManagerSettings, McpServerDefinition, PoolOptions } from "@mcp-pool/core";
import type { ResilienceConfig, ResilienceSettings } from "./resilience.ts";

/** A server that runs as a process of its own, one per connection. */
export interface StdioServerConfig {
  readonly type?: "stdio" | undefined;
  /** The program to run; no shell is involved. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Variables on top of a safe part of this process's own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
}

/** A server that is reached over HTTP. */
export interface HttpServerConfig {
  /**
   * `http`, the default, is Streamable HTTP with HTTP+SSE as the fallback; the other two are what they say.
   * @default "http"
   */
  readonly type?: "http" | "streamable-http" | "streamable_http" | "sse" | undefined;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How to reach a server, as in an `mcp.json`. Strings may hold `${NAME}` and `${NAME:-default}`. */
export type McpServerConfig = StdioServerConfig | HttpServerConfig;

/** Pool options, and what a pool does about failures. */
export type PoolConfig = PoolOptions & ResilienceConfig;

/** Settings over all servers. */
export type McpSettings = McpManagerSettings & ResilienceSettings;

/** How to pool the connections to one server. */
export type ServerSpecificConfig = Omit<
  McpServerDefinition,
  "connector" | "connectionKey" | "plugins" | "pluginKey" | "pool"
> & {
  /** Overrides the pool options of every server. */
  readonly pool?: PoolConfig | undefined;
};

/** The configuration of the full stack. */
export interface McpPoolConfig {
  /** The servers by name. */
  readonly mcpServers: Readonly<Record<string, McpServerConfig>>;
  /** Pool options of every server. */
  readonly pool?: PoolConfig | undefined;
  /** Settings of single servers, by name. */
  readonly serverConfigs?: Readonly<Record<string, ServerSpecificConfig>> | undefined;
  readonly settings?: McpSettings | undefined;
}

/** One server, as `manager.addServer(name, config)` takes it. */
export type McpAddedServerConfig = McpServerConfig & ServerSpecificConfig;
