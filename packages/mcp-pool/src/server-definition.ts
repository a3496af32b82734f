import type { ResolvedServer, ResolvedServerConfig } from "@mcp-pool/config";
import { type HttpConnectorOptions, httpConnector } from "@mcp-pool/connector/http";
import { mockConnector } from "@mcp-pool/connector/mock";
import { stdioConnector } from "@mcp-pool/connector/stdio";
import {
  type ClientHandlers,
  type Connector,
  type Issue,
  McpConfigurationError,
  type McpServerDefinition,
  type PoolPlugin,
} from "@mcp-pool/core";
import { comparable } from "./comparable.ts";
import { resiliencePlugins } from "./resilience.ts";
import { SDK_V2 } from "./sdk.ts";

/** Makes the connector of a server; `undefined` leaves it to the built-in ones. */
export type ConnectorFactory = (serverName: string, config: ResolvedServerConfig) => Connector | undefined;

/** What a server takes from code rather than from its configuration. */
export interface ServerCode {
  readonly connector: ConnectorFactory | undefined;
  readonly plugins: readonly PoolPlugin[];
  readonly handlers: ClientHandlers | undefined;
  /** The SDK for the built-in connectors. */
  readonly sdk: "v1" | "v2";
}

/** Turns a checked server into what core understands. */
export function serverDefinition(
  server: ResolvedServer,
  { connector, plugins, handlers, sdk }: ServerCode,
): McpServerDefinition {
  const { name, connection, specific } = server;
  const { healthCheck: _healthCheck, circuitBreaker: _circuitBreaker, retry, ...pool } = server.pool;
  const { priority, tags, maxConcurrentRequests, identityRequired, trustAnnotations, tools, onCircuitOpen, mock } =
    specific;
  const renewSessions = retry?.repeatAfterSessionLoss;
  const taken = new Set(plugins.map((plugin) => plugin.name));
  return {
    connector:
      connection === undefined
        ? mockConnector(mock)
        : (connector?.(name, connection) ??
          connect(name, connection, { renewSessions, sdk: sdk === "v2" ? SDK_V2 : undefined })),
    connectionKey: comparable(connection === undefined ? ["mock", mock] : [connection, renewSessions, sdk]),
    pool: { ...pool, handlers },
    priority,
    tags,
    maxConcurrentRequests,
    identityRequired,
    trustAnnotations,
    tools,
    onCircuitOpen,
    ...resiliencePlugins(server.pool, taken, `serverConfigs.${name}.pool`),
  };
}

function connect(
  name: string,
  connection: ResolvedServerConfig,
  options: Pick<HttpConnectorOptions, "renewSessions" | "sdk">,
): Connector {
  try {
    switch (connection.type) {
      case "stdio":
        return stdioConnector({ ...connection, sdk: options.sdk });
      case "sse":
        return httpConnector({ ...options, url: connection.url, headers: connection.headers, transport: "sse" });
      case "streamable-http": {
        const { url, headers, sseFallback } = connection;
        return httpConnector({ ...options, url, headers, transport: sseFallback ? "auto" : "streamable-http" });
      }
    }
  } catch (error) {
    if (!(error instanceof McpConfigurationError)) throw error;
    const inServer = (issue: Issue) => ({ ...issue, path: `mcpServers.${name}.${issue.path}` });
    throw new McpConfigurationError(error.issues.map(inServer));
  }
}
