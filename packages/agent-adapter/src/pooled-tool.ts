import type { CallToolResult, RequestOptions, Tool } from "@mcp-pool/core";

/** Options of one call; the identity is that of the tools. */
export type PooledCallOptions = Omit<RequestOptions, "identity">;

/** A tool of a pooled server, in no framework's shape. */
export interface PooledTool {
  readonly serverName: string;
  /** The tool's name at its server. */
  readonly toolName: string;
  /** The name for models: unique across servers, at most 64 of the characters `A-Z a-z 0-9 _ -`. */
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** The server's own object, shared by all; treat it as read-only. */
  readonly inputSchema: Tool["inputSchema"];
  /** The server's own object, shared by all; treat it as read-only. */
  readonly outputSchema?: Tool["outputSchema"];
  readonly annotations?: Tool["annotations"];
  readonly _meta?: Tool["_meta"];
  /** Calls the tool with one pooled request. A result with `isError` is returned like any other. */
  call(args?: Readonly<Record<string, unknown>>, options?: PooledCallOptions): Promise<CallToolResult>;
}
