import { type FallbackMethod, fallbackServer, substituteFor } from "./circuit-fallback.ts";
import { type CircuitBreakerOpenError, McpPoolError } from "./errors.ts";
import type { ManagedServer } from "./managed-server.ts";
import type { RequestOptions } from "./options.ts";
import type { McpConnectionPool } from "./pool.ts";

/** Where servers are found by name. */
export interface ServerFinder {
  /** @throws {McpServerNotFoundError} */
  get(name: string): ManagedServer;
}

/** A call of a server's method. */
export interface ServerCall<T> {
  readonly method: FallbackMethod;
  readonly params: unknown;
  readonly options: RequestOptions | undefined;
  readonly work: (pool: McpConnectionPool, options: RequestOptions | undefined) => Promise<T>;
}

/**
 * Runs a call of a server, and falls back where its circuit breaker refused it: nothing of it was sent then, so that another
 * server or a substitute may answer without anything running twice. Whatever fails rejects.
 */
export function callServer<T>(
  servers: ServerFinder,
  name: string,
  { method, params, options, work }: ServerCall<T>,
): Promise<T> {
  try {
    const server = servers.get(name);
    // As most calls are.
    if (options === undefined && server.plain !== undefined) return work(server.main, undefined);
    const request = { method: METHODS[method], params };
    if (server.definition.onCircuitOpen === undefined) return server.run(options, work, request);
    const run = async (each: ManagedServer) => each.run(each === server ? options : forAnother(options), work, request);
    return withFallback(servers, server, method, params, run, new Set()) as Promise<T>;
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What the manager's methods ask of a server. */
const METHODS: Readonly<Record<FallbackMethod, string>> = {
  callTool: "tools/call",
  listTools: "tools/list",
  listResources: "resources/list",
  listResourceTemplates: "resources/templates/list",
  readResource: "resources/read",
  listPrompts: "prompts/list",
  getPrompt: "prompts/get",
  complete: "completion/complete",
};

/** A server that stands in is another party: headers meant for the first one, with credentials in them perhaps, stay here. */
function forAnother(options: RequestOptions | undefined): RequestOptions | undefined {
  return options?.headers === undefined ? options : { ...options, headers: undefined };
}

async function withFallback(
  servers: ServerFinder,
  server: ManagedServer,
  method: FallbackMethod,
  params: unknown,
  run: (server: ManagedServer) => Promise<unknown>,
  asked: ReadonlySet<string>,
): Promise<unknown> {
  try {
    return await run(server);
  } catch (error) {
    const fallback = server.definition.onCircuitOpen;
    if (fallback === undefined || !isCircuitOpen(error)) throw error;
    const next = fallbackServer(fallback);
    if (next !== undefined) {
      const visited = new Set([...asked, server.name]);
      // Two servers that stand in for each other, both with open circuits, have nobody left to ask.
      if (visited.has(next)) throw error;
      return withFallback(servers, servers.get(next), method, params, run, visited);
    }
    const substitute = substituteFor(fallback, method);
    if (substitute === undefined) throw error;
    return await substitute(params, error);
  }
}

function isCircuitOpen(error: unknown): error is CircuitBreakerOpenError {
  return McpPoolError.isInstance(error) && error.code === "CIRCUIT_OPEN";
}
