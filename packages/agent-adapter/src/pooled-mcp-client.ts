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
  Progress,
  ReadResourceResult,
  RequestOptions,
  ResourceParams,
  Tool,
} from "@mcp-pool/core";
import type { PooledMcpTools } from "./pooled-mcp-tools.ts";
import type { McpToolManager } from "./tool-manager.ts";

/** Options of one request, as the official 1.x client has them. */
export interface McpClientRequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. @default the pool's `requestTimeoutMs` */
  readonly timeout?: number | undefined;
  readonly onprogress?: ((progress: Progress) => void) | undefined;
}

/**
 * Looks like the client of the official 1.x SDK, for helpers that want one; behind it is the pool. Tools have the names, and
 * are those, of the {@link PooledMcpTools} it stands for. Lists are complete: there is no next page.
 */
export class PooledMcpClient {
  readonly #tools: PooledMcpTools;
  readonly #headers: Readonly<Record<string, string>> | undefined;

  constructor(tools: PooledMcpTools, headers?: Readonly<Record<string, string>>) {
    this.#tools = tools;
    this.#headers = headers;
  }

  /** Lists the tools. They are copies, since helpers have been seen to write into the schemas they are given. */
  async listTools(_params?: object, options?: McpClientRequestOptions): Promise<{ tools: Tool[] }> {
    const { tools } = await this.#tools.listTools(this.#options(options));
    return { tools: structuredClone([...tools]) };
  }

  /** Calls a tool. The second argument, a schema for results in the official client, has no effect. */
  async callTool(
    { name, arguments: args, _meta }: CallToolParams,
    _resultSchema?: unknown,
    options?: McpClientRequestOptions,
  ): Promise<CallToolResult> {
    return this.#tools.callTool(name, args, { ...this.#options(options), meta: _meta });
  }

  /** Reads a resource. */
  readResource(params: ResourceParams, options?: McpClientRequestOptions): Promise<ReadResourceResult> {
    return this.#ask(options, (manager, server, own) => manager.readResource(server, params, own));
  }

  /** Lists the resources. */
  listResources(_params?: object, options?: McpClientRequestOptions): Promise<ListResourcesResult> {
    return this.#ask(options, (manager, server, own) => manager.listResources(server, own));
  }

  /** Lists the resource templates. */
  listResourceTemplates(_params?: object, options?: McpClientRequestOptions): Promise<ListResourceTemplatesResult> {
    return this.#ask(options, (manager, server, own) => manager.listResourceTemplates(server, own));
  }

  /** Lists the prompts. */
  listPrompts(_params?: object, options?: McpClientRequestOptions): Promise<ListPromptsResult> {
    return this.#ask(options, (manager, server, own) => manager.listPrompts(server, own));
  }

  /** Gets a prompt with its arguments filled in. */
  getPrompt(params: GetPromptParams, options?: McpClientRequestOptions): Promise<GetPromptResult> {
    return this.#ask(options, (manager, server, own) => manager.getPrompt(server, params, own));
  }

  /** Asks for proposals for the rest of an argument. */
  complete(params: CompleteParams, options?: McpClientRequestOptions): Promise<CompleteResult> {
    return this.#ask(options, (manager, server, own) => manager.complete(server, params, own));
  }

  /** Returns a client on the same pool whose requests carry these HTTP headers; where there is no HTTP they are ignored. */
  async fork(headers: Readonly<Record<string, string>>): Promise<PooledMcpClient> {
    return new PooledMcpClient(this.#tools, { ...this.#headers, ...headers });
  }

  /** Does nothing: connections are the pool's. */
  async close(): Promise<void> {}

  async #ask<T>(
    options: McpClientRequestOptions | undefined,
    request: (manager: McpToolManager, server: string, options: RequestOptions) => Promise<T>,
  ): Promise<T> {
    const own = this.#tools.requestOptions(this.#options(options));
    return request(await this.#tools.manager(), this.#tools.serverName, own);
  }

  #options({ signal, timeout, onprogress }: McpClientRequestOptions = {}): RequestOptions {
    return { signal, timeoutMs: timeout, onProgress: onprogress, headers: this.#headers };
  }
}

/** Offers pooled tools to a helper that expects the client of the official 1.x SDK. */
export function toMcpClient(tools: PooledMcpTools): PooledMcpClient {
  return new PooledMcpClient(tools);
}
