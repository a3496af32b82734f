import type { McpPoolConfig } from "./mcp-pool-config.ts";
import { Problems } from "./problems.ts";
import { describeValue } from "./reveal.ts";
import type { McpServerConfig } from "./server-config.ts";
import { type ServerSpecificConfig, specificKeys } from "./server-specific-config.ts";
import { CODE, isRecord } from "./source.ts";

/** One server by its name: how to pool it and, unless a catalog says so, how to reach it. */
export type NamedServerConfig = ServerSpecificConfig &
  (McpServerConfig | { readonly command?: undefined; readonly url?: undefined }) & { readonly serverName: string };

/**
 * Takes the configuration of one server apart: how to reach it, and how to pool it.
 * @throws {McpConfigurationError} when it is no object, or has no name
 */
export function splitServer(config: NamedServerConfig): Required<Pick<McpPoolConfig, "mcpServers" | "serverConfigs">> {
  const value: unknown = config;
  const name: unknown = isRecord(value) ? value.serverName : undefined;
  if (!isRecord(value) || typeof name !== "string" || name === "") {
    const problems = new Problems();
    problems.report(CODE, ["serverName"], { expected: "the name of a server", found: describeValue(name) });
    problems.refuse();
  }
  const entries = Object.entries(config).filter(([key]) => key !== "serverName");
  const connection = entries.filter(([key]) => !specificKeys.has(key));
  const specific = entries.filter(([key]) => specificKeys.has(key));
  return {
    mcpServers:
      connection.length === 0
        ? {}
        : { [config.serverName]: Object.fromEntries(connection) as unknown as McpServerConfig },
    serverConfigs:
      specific.length === 0 ? {} : { [config.serverName]: Object.fromEntries(specific) as ServerSpecificConfig },
  };
}
