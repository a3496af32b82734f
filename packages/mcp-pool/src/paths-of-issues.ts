import { type Issue, McpConfigurationError } from "@mcp-pool/core";

/** Runs what may find problems in settings, and says of each where it is in what the user wrote. */
export function withPaths<T>(pathOf: (path: string) => string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new McpConfigurationError(issuesOf(error).map((issue) => ({ ...issue, path: pathOf(issue.path) })));
  }
}

/** Returns the problems that an error tells of; any other error is thrown on. */
export function issuesOf(error: unknown): readonly Issue[] {
  if (error instanceof McpConfigurationError) return error.issues;
  throw error;
}
