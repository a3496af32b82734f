import type { CircuitBreakerOpenError } from "./errors.ts";
import type {
  CallToolParams,
  CallToolResult,
  CompleteParams,
  CompleteResult,
  GetPromptParams,
  GetPromptResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  ReadResourceResult,
  ResourceParams,
} from "./protocol.ts";

/** Makes the result of one kind of call that the circuit breaker refused. */
type Substitute<Params, Result> = (params: Params, error: CircuitBreakerOpenError) => Result | Promise<Result>;

/** What stands in for the results of a server whose circuit is open, by the manager's method; other calls fail as they do. */
export interface CircuitSubstitutes {
  readonly callTool?: Substitute<CallToolParams, CallToolResult> | undefined;
  readonly listTools?: Substitute<undefined, ListToolsResult> | undefined;
  readonly listResources?: Substitute<undefined, ListResourcesResult> | undefined;
  readonly listResourceTemplates?: Substitute<undefined, ListResourceTemplatesResult> | undefined;
  readonly readResource?: Substitute<ResourceParams, ReadResourceResult> | undefined;
  readonly listPrompts?: Substitute<undefined, ListPromptsResult> | undefined;
  readonly getPrompt?: Substitute<GetPromptParams, GetPromptResult> | undefined;
  readonly complete?: Substitute<CompleteParams, CompleteResult> | undefined;
}

/** What happens to calls that the circuit breaker of a server refuses: they go to another server, or get another result. */
export type CircuitFallback = { readonly server: string } | CircuitSubstitutes;

/** A manager's method whose refused calls may have a substitute. */
export type FallbackMethod = keyof CircuitSubstitutes;

/** Returns the server that takes over, if the fallback is one. */
export function fallbackServer(fallback: CircuitFallback): string | undefined {
  return "server" in fallback ? fallback.server : undefined;
}

/** Returns what stands in for the results of one method, if something does. */
export function substituteFor(
  fallback: CircuitFallback,
  method: FallbackMethod,
): ((params: unknown, error: CircuitBreakerOpenError) => unknown) | undefined {
  if ("server" in fallback) return undefined;
  return fallback[method] as ((params: unknown, error: CircuitBreakerOpenError) => unknown) | undefined;
}
