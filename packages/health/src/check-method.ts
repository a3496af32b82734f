import {
  type Judgement,
  McpClient,
  McpHealthCheckError,
  type PoolControl,
  type PooledConnection,
  type RequestFailure,
} from "@mcp-pool/core";

/**
 * How a connection is asked whether it works.
 *
 * - `auto`: the way that fits the protocol era · `ping`, `discover` and `list_tools`: this request
 * - a tool: its call; a result with `isError` is a failure · a function: whatever it does, unless it rejects
 */
export type CheckMethod =
  | "auto"
  | "ping"
  | "discover"
  | "list_tools"
  | { readonly tool: string; readonly arguments?: Readonly<Record<string, unknown>> | undefined }
  | ((client: McpClient, signal: AbortSignal) => Promise<void> | void);

const METHODS = { ping: "ping", discover: "server/discover", list_tools: "tools/list" } as const;

/** With these, a server that refuses what it was asked has shown that it lives. */
const ALIVE: ReadonlySet<Judgement> = new Set(["answered", "overloaded", "unauthorised"]);

/** Asks a connection whether it works, without taking room on it; rejects if it does not. */
export async function askConnection(
  pool: PoolControl,
  connection: PooledConnection,
  method: CheckMethod,
  signal: AbortSignal,
): Promise<void> {
  if (typeof method === "function") {
    const request = (name: string, params: Readonly<Record<string, unknown>> | undefined) =>
      pool.ask(connection, name, params, signal);
    await method(new McpClient({ request }, { serverName: pool.serverName }), signal);
  } else if (typeof method === "object") {
    const params = { name: method.tool, arguments: method.arguments ?? {} };
    const result = await pool.ask(connection, "tools/call", params, signal);
    if ((result as { isError?: unknown } | undefined)?.isError !== true) return;
    const message = `the tool "${method.tool}" of MCP server "${pool.serverName}" failed a check`;
    throw new McpHealthCheckError(message, { serverName: pool.serverName });
  } else {
    try {
      await (method === "auto"
        ? pool.probe(connection, signal)
        : pool.ask(connection, METHODS[method], undefined, signal));
    } catch (error) {
      const judgement = judgementIn(error);
      if (judgement === undefined || !ALIVE.has(judgement)) throw error;
    }
  }
}

/** Returns what a connector judged a failure of a request. */
export function judgementIn(error: unknown): Judgement | undefined {
  return error instanceof Error && "judgement" in error ? (error as RequestFailure).judgement : undefined;
}
