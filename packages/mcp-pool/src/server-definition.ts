import type { ResolvedServer, ResolvedServerConfig } from "@mcp-pool/config";
import {
  type AuthProviderFactory,
  type HeadersRequest,
  type HttpConnectorOptions,
  httpConnector,
} from "@mcp-pool/connector/http";
import { mockConnector } from "@mcp-pool/connector/mock";
import { stdioConnector } from "@mcp-pool/connector/stdio";
import type { ClientHandlers, Connector, McpServerDefinition, PoolPlugin } from "@mcp-pool/core";
import { comparable } from "./comparable.ts";
import { withPaths } from "./paths-of-issues.ts";
import { resiliencePlugins } from "./resilience.ts";
import { SDK_V2 } from "./sdk.ts";

/** Makes the connector of a server; `undefined` leaves it to the built-in ones. */
export type ConnectorFactory = (serverName: string, config: ResolvedServerConfig) => Connector | undefined;

/** On whose behalf credentials are asked for. */
export type CredentialsRequest = HeadersRequest;

/** What a connection says of who is behind it: HTTP headers, or environment variables of a server process. */
export interface Credentials {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Supplies credentials; `undefined` means that there are none. */
export type CredentialsSource = (
  request: CredentialsRequest,
) => Credentials | undefined | PromiseLike<Credentials | undefined>;

/** What code can add to the built-in connectors, and a file cannot. */
export interface ConnectorFactories {
  readonly credentials?: CredentialsSource | undefined;
  readonly authProvider?: AuthProviderFactory | undefined;
}

type ConnectorSettings = ConnectorFactories &
  Pick<HttpConnectorOptions, "renewSessions" | "sdk" | "sessionLostStatuses">;

/** What a server takes from code rather than from its configuration. */
export interface ServerCode extends ConnectorFactories {
  readonly connector: ConnectorFactory | undefined;
  readonly plugins: readonly PoolPlugin[];
  readonly handlers: ClientHandlers | undefined;
  /** The SDK for the built-in connectors. */
  readonly sdk: "v1" | "v2";
}

/** Turns a checked server into what core understands. */
export function serverDefinition(
  server: ResolvedServer,
  { connector, plugins, handlers, sdk: version, ...factories }: ServerCode,
): McpServerDefinition {
  const { name, connection, specific } = server;
  const { healthCheck: _healthCheck, circuitBreaker: _circuitBreaker, retry, ...pool } = server.pool;
  const { priority, tags, maxConcurrentRequests, identityRequired, trustAnnotations, tools, onCircuitOpen, mock } =
    specific;
  const { maxIdentities, sessionLostStatuses } = specific;
  const renewSessions = retry?.repeatAfterSessionLoss;
  const sdk = version === "v2" ? SDK_V2 : undefined;
  const taken = new Set(plugins.map((plugin) => plugin.name));
  return {
    connector:
      connection === undefined
        ? mockConnector(mock)
        : (connector?.(name, connection) ??
          connect(name, connection, { ...factories, renewSessions, sessionLostStatuses, sdk })),
    connectionKey: comparable(
      connection === undefined ? ["mock", mock] : [connection, renewSessions, sessionLostStatuses, version],
    ),
    pool: { ...pool, handlers },
    priority,
    tags,
    maxConcurrentRequests,
    identityRequired,
    maxIdentities,
    trustAnnotations,
    tools,
    onCircuitOpen,
    ...resiliencePlugins(server.pool, taken, `serverConfigs.${name}.pool`),
  };
}

function connect(
  name: string,
  connection: ResolvedServerConfig,
  { credentials, ...options }: ConnectorSettings,
): Connector {
  const make = () => {
    if (connection.type === "stdio") {
      const env = withCredentials(connection.env, "env", credentials);
      return stdioConnector({ ...connection, env, sdk: options.sdk });
    }
    const headers = withCredentials(connection.headers, "headers", credentials);
    return httpConnector({ ...options, url: connection.url, headers, transport: transportOf(connection) });
  };
  return withPaths((path) => `mcpServers.${name}.${path}`, make);
}

/** Puts the credentials of an identity on top of what the configuration says. */
function withCredentials(
  own: Readonly<Record<string, string>>,
  field: keyof Credentials,
  credentials: CredentialsSource | undefined,
) {
  if (credentials === undefined) return own;
  return async (request: Omit<CredentialsRequest, "isRefused"> & { readonly isRefused?: boolean }) => {
    const added = await credentials({ isRefused: false, ...request });
    return { ...own, ...added?.[field] };
  };
}

function transportOf(connection: Exclude<ResolvedServerConfig, { type: "stdio" }>): HttpConnectorOptions["transport"] {
  if (connection.type === "sse") return "sse";
  return connection.sseFallback ? "auto" : "streamable-http";
}
