import type { ResolvedServer, ResolvedServerConfig } from "@mcp-pool/config";
import { httpConnector } from "@mcp-pool/connector/http";
import { mockConnector } from "@mcp-pool/connector/mock";
import { stdioConnector } from "@mcp-pool/connector/stdio";
import { type Connector, type Issue, McpConfigurationError, type McpServerDefinition } from "@mcp-pool/core";

/** Makes the connector of a server; `undefined` leaves it to the built-in ones. */
export type ConnectorFactory = (serverName: string, config: ResolvedServerConfig) => Connector | undefined;

/** Turns a checked server into what core understands. */
export function serverDefinition(server: ResolvedServer, connector: ConnectorFactory | undefined): McpServerDefinition {
  const { name, connection, specific } = server;
  const { healthCheck: _healthCheck, circuitBreaker: _circuitBreaker, retry: _retry, ...pool } = server.pool;
  const { priority, tags, maxConcurrentRequests, identityRequired, mock } = specific;
  return {
    connector:
      connection === undefined ? mockConnector(mock) : (connector?.(name, connection) ?? connect(name, connection)),
    connectionKey: JSON.stringify(connection === undefined ? ["mock", mock] : connection, sortedKeys),
    pool,
    priority,
    tags,
    maxConcurrentRequests,
    identityRequired,
  };
}

function connect(name: string, connection: ResolvedServerConfig): Connector {
  try {
    switch (connection.type) {
      case "stdio":
        return stdioConnector(connection);
      case "sse":
        return httpConnector({ url: connection.url, headers: connection.headers, transport: "sse" });
      case "streamable-http": {
        const { url, headers, sseFallback } = connection;
        return httpConnector({ url, headers, transport: sseFallback ? "auto" : "streamable-http" });
      }
    }
  } catch (error) {
    if (!(error instanceof McpConfigurationError)) throw error;
    const inServer = (issue: Issue) => ({ ...issue, path: `mcpServers.${name}.${issue.path}` });
    throw new McpConfigurationError(error.issues.map(inServer));
  }
}

/** Numbers of functions: the same one is the same setting, and nothing more can be known. */
const functionIds = new WeakMap<object, number>();
let functionCount = 0;

/** Makes settings comparable: the order in which keys are written says nothing. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value === "function") {
    const id = functionIds.get(value) ?? ++functionCount;
    functionIds.set(value, id);
    return `function ${id}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
