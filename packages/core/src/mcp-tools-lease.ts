import { McpValidationError } from "./errors.ts";
import type { Lease } from "./lease.ts";
import type { RequestOptions } from "./options.ts";
import type { CallToolResult, ListToolsResult } from "./protocol.ts";

/** The tools of one server on one borrowed connection; end it with `release()` or `await using`. */
export class McpToolsLease implements AsyncDisposable {
  readonly #lease: Lease;

  constructor(lease: Lease) {
    this.#lease = lease;
  }

  /** Calls a tool by name; a result with `isError` is returned like any other. */
  callTool(name: string, args?: Readonly<Record<string, unknown>>, options?: RequestOptions): Promise<CallToolResult> {
    if (typeof name !== "string") {
      const message = "the name of a tool must be a string; the arguments come second";
      return Promise.reject(new McpValidationError(message, { issues: [{ path: "name", message }] }));
    }
    return this.#lease.client.callTool(args === undefined ? { name } : { name, arguments: args }, options);
  }

  /** Lists the tools as this connection sees them; not from the cache. */
  listTools(options?: RequestOptions): Promise<ListToolsResult> {
    return this.#lease.client.listTools(options);
  }

  /** Gives the connection back; calling it again does nothing. */
  release(): void {
    this.#lease.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}
