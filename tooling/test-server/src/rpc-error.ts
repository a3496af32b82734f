import { ErrorCode } from "@modelcontextprotocol/sdk/types.js";

/**
 * Answers a request with a JSON-RPC error.
 *
 * The SDK's own `McpError` puts "MCP error <code>: " before the message on the wire, and the client does so once more; this one sends it as it is.
 */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = data;
  }
}

/** Makes the error for arguments that do not fit. */
export function invalidParams(message: string): RpcError {
  return new RpcError(ErrorCode.InvalidParams, message);
}
