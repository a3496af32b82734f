import { type FallbackMethod, fallbackServer, substituteFor } from "./circuit-fallback.ts";
import { type CircuitBreakerOpenError, McpPoolError } from "./errors.ts";
import type { ManagedServer } from "./managed-server.ts";

/**
 * Runs a call, and falls back where the circuit breaker refused it: nothing of it was sent then, so that another server
 * or a substitute may answer without anything running twice.
 */
export async function withFallback(
  server: ManagedServer,
  method: FallbackMethod,
  params: unknown,
  run: (server: ManagedServer) => Promise<unknown>,
  find: (name: string) => ManagedServer,
  asked: ReadonlySet<string> = new Set(),
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
      return withFallback(find(next), method, params, run, find, visited);
    }
    const substitute = substituteFor(fallback, method);
    if (substitute === undefined) throw error;
    return await substitute(params, error);
  }
}

function isCircuitOpen(error: unknown): error is CircuitBreakerOpenError {
  return McpPoolError.isInstance(error) && error.code === "CIRCUIT_OPEN";
}
