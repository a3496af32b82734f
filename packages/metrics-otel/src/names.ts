/** Everything that users see in their monitoring: names, units and descriptions of metrics, and names of attributes. */

/** What a metric is called, and how it is measured. */
export interface MetricDefinition {
  readonly name: string;
  /** `gauge`: a count that goes up and down, observed when metrics are collected. */
  readonly kind: "histogram" | "counter" | "gauge";
  readonly unit: string;
  readonly description: string;
  /** Advice on the upper limits of the buckets of a histogram, in seconds; a View overrides it. */
  readonly boundaries?: readonly number[];
}

/** The buckets that the MCP conventions advise. */
const MCP_BUCKETS: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
/** Most waits are far shorter than 10 ms, and should be. */
const WAIT_BUCKETS: readonly number[] = [0.001, 0.005, ...MCP_BUCKETS];

type MetricKey =
  | "operationDuration"
  | "sessionDuration"
  | "connectionCount"
  | "connectionLimit"
  | "connectionIdleMax"
  | "connectionIdleMin"
  | "pendingRequests"
  | "timeouts"
  | "createTime"
  | "waitTime"
  | "useTime"
  | "closures"
  | "circuitStatus"
  | "circuitTransitions"
  | "circuitRejections"
  | "healthCheckDuration"
  | "serverStatus"
  | "retries";

/** The metrics by the names of the MCP conventions, and those of our own, which are modelled on database pools. */
export const METRICS: Readonly<Record<MetricKey, MetricDefinition>> = {
  operationDuration: histogram(
    "mcp.client.operation.duration",
    "The duration of an MCP request as seen by the client, from sending it until its answer; one for each attempt.",
  ),
  sessionDuration: histogram(
    "mcp.client.session.duration",
    "The duration of an MCP session as seen by the client; only protocol revisions with sessions have it.",
  ),
  connectionCount: gauge("mcp_pool.connection.count", "{connection}", "Connections by state."),
  connectionLimit: gauge("mcp_pool.connection.limit", "{connection}", "The most connections that may be open."),
  connectionIdleMax: gauge("mcp_pool.connection.idle.max", "{connection}", "The most connections that may be idle."),
  connectionIdleMin: gauge(
    "mcp_pool.connection.idle.min",
    "{connection}",
    "Connections that are kept open once the pool is in use.",
  ),
  pendingRequests: gauge("mcp_pool.connection.pending_requests", "{request}", "Callers waiting for a connection."),
  timeouts: counter(
    "mcp_pool.connection.timeouts",
    "{timeout}",
    "Callers whose time was up before they had a connection.",
  ),
  createTime: histogram("mcp_pool.connection.create_time", "The time it took to open a connection, or to fail to."),
  waitTime: histogram(
    "mcp_pool.connection.wait_time",
    "The time it took to get room on a connection, or to fail to.",
    WAIT_BUCKETS,
  ),
  useTime: histogram("mcp_pool.connection.use_time", "The time between borrowing a connection and giving it back."),
  closures: counter("mcp_pool.connection.closures", "{connection}", "Connections that were closed, by reason."),
  circuitStatus: gauge("mcp_pool.circuit_breaker.status", "1", "Circuit breakers by state."),
  circuitTransitions: counter(
    "mcp_pool.circuit_breaker.transitions",
    "{transition}",
    "Changes of the state of circuit breakers, by the state entered.",
  ),
  circuitRejections: counter(
    "mcp_pool.circuit_breaker.rejections",
    "{request}",
    "Callers that a circuit breaker refused.",
  ),
  healthCheckDuration: histogram("mcp_pool.health_check.duration", "The duration of a check of a server."),
  serverStatus: gauge("mcp_pool.server.status", "1", "Whether a server is in a state: 1 for the current one, else 0."),
  retries: counter("mcp_pool.request.retries", "{retry}", "Further tries of requests."),
};

/** Names of attributes, by the conventions and our own. */
export const ATTRIBUTES = {
  method: "mcp.method.name",
  protocolVersion: "mcp.protocol.version",
  resourceUri: "mcp.resource.uri",
  toolName: "gen_ai.tool.name",
  promptName: "gen_ai.prompt.name",
  operation: "gen_ai.operation.name",
  errorType: "error.type",
  rpcStatus: "rpc.response.status_code",
  transport: "network.transport",
  protocolName: "network.protocol.name",
  address: "server.address",
  port: "server.port",
  pool: "mcp_pool.name",
  server: "mcp_pool.server.name",
  identity: "mcp_pool.identity",
  connectionState: "mcp_pool.connection.state",
  closeReason: "mcp_pool.connection.close_reason",
  circuitState: "mcp_pool.circuit_breaker.state",
  serverState: "mcp_pool.server.state",
} as const;

/** States of connections, in metrics. */
export const CONNECTION_STATES = ["idle", "used", "connecting", "draining"] as const;
/** States of circuit breakers, in metrics. */
export const CIRCUIT_STATES = ["closed", "half_open", "open"] as const;
/**
 * States of servers, in metrics. `unavailable`: nothing is open, and the last connect failed. `unhealthy`: so the health
 * checks say. `unknown`: nothing has been tried yet.
 */
export const SERVER_STATES = ["healthy", "unhealthy", "unavailable", "unknown"] as const;

/** Stands for every name beyond the limit. */
export const OTHER = "_OTHER";

function histogram(name: string, description: string, boundaries: readonly number[] = MCP_BUCKETS): MetricDefinition {
  return { name, kind: "histogram", unit: "s", description, boundaries };
}

function counter(name: string, unit: string, description: string): MetricDefinition {
  return { name, kind: "counter", unit, description };
}

function gauge(name: string, unit: string, description: string): MetricDefinition {
  return { name, kind: "gauge", unit, description };
}
