import {
  type CallToolResult,
  type ListToolsResult,
  McpConfigurationError,
  McpValidationError,
  type RequestOptions,
  type Tool,
} from "@mcp-pool/core";
import { modelToolName } from "./model-tool-name.ts";
import type { PooledCallOptions, PooledTool } from "./pooled-tool.ts";
import { checkToolsOptions, type PooledMcpToolsOptions, type ToolFilter } from "./pooled-tools-options.ts";
import { type McpToolManager, managerSource } from "./tool-manager.ts";

/** Marks the tools of every copy of this package. */
const BRAND = Symbol.for("mcp-pool.pooled-mcp-tools");

/** Most names that a message lists. */
const MAX_NAMES = 30;

/** The tools that one answer of the server became. */
interface Derived {
  readonly from: ListToolsResult;
  readonly list: ListToolsResult;
  readonly tools: readonly PooledTool[];
}

/**
 * The tools of one pooled server. Nothing is opened before the first use, and there is nothing to close: connections are the
 * manager's. The list comes from the pool's cache, so it is new after the server announced a change.
 */
export class PooledMcpTools {
  readonly serverName: string;
  readonly #options: PooledMcpToolsOptions;
  readonly #manager: () => Promise<McpToolManager>;
  /** Every name under which a tool can be called: the one for models, then the server's own. */
  readonly #byName = new Map<string, PooledTool>();
  #derived: Derived | undefined;

  /** @throws {McpConfigurationError} for bad options, or without a manager */
  constructor(serverName: string, options: PooledMcpToolsOptions = {}) {
    checkToolsOptions(serverName, options);
    this.serverName = serverName;
    this.#options = options;
    this.#manager = managerSource(options.manager);
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Tells whether a value holds pooled tools, also those of another copy of the package. */
  static isInstance(value: unknown): value is PooledMcpTools {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /** Brings the manager whose pools are used. */
  manager(): Promise<McpToolManager> {
    return this.#manager();
  }

  /** Adds the identity of these tools to the options of a request. */
  requestOptions(options: PooledCallOptions | undefined): RequestOptions {
    return { ...options, identity: this.#options.identity };
  }

  /**
   * Brings the tools, under their names for models. The same array and the same tools until the server's list changes.
   * @throws {McpConfigurationError} when the server has no tool that `include` names; at the first listing only, since
   *   a tool that goes away later must not end a run
   */
  async tools(options?: PooledCallOptions): Promise<readonly PooledTool[]> {
    return (await this.#derive(options)).tools;
  }

  /** Lists the same tools in the protocol's shape. */
  async listTools(options?: PooledCallOptions): Promise<ListToolsResult> {
    return (await this.#derive(options)).list;
  }

  /**
   * Calls a tool, by its name for models or by the server's own. A result with `isError` is returned like any other.
   * @throws {McpValidationError} for a name that is none of these tools; it lists those there are
   */
  async callTool(
    name: string,
    args?: Readonly<Record<string, unknown>>,
    options?: PooledCallOptions,
  ): Promise<CallToolResult> {
    return (await this.#find(name, options)).call(args, options);
  }

  async #find(name: string, options: PooledCallOptions | undefined): Promise<PooledTool> {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    // Time and signal bound the listing too, but the headers and the rest are those of the call.
    await this.#derive({ signal: options?.signal, timeoutMs: options?.timeoutMs });
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const names = listNames((this.#derived?.tools ?? []).map((tool) => tool.name));
    const message = `unknown tool ${JSON.stringify(name)} of MCP server "${this.serverName}"; ${names}`;
    const issues = [{ path: "name", message: `must be the name of a tool; ${names}` }];
    throw new McpValidationError(message, { serverName: this.serverName, issues });
  }

  async #derive(options: PooledCallOptions | undefined): Promise<Derived> {
    const manager = await this.#manager();
    const from = await manager.listTools(this.serverName, this.requestOptions(options));
    if (this.#derived?.from === from) return this.#derived;
    if (this.#derived === undefined) this.#checkIncluded(from.tools);

    const offered = new Map<string, Tool>();
    for (const tool of from.tools) {
      const name = modelToolName(this.#prefix, tool.name);
      // A server that lists a name twice answers to it once; the first description counts.
      if (this.#isOffered(tool) && !offered.has(name)) offered.set(name, tool);
    }
    const tools = Object.freeze([...offered].map(([name, tool]) => this.#pooledTool(name, tool)));
    const list = Object.freeze({ tools: Object.freeze([...offered].map(([name, tool]) => ({ ...tool, name }))) });
    // Names that are gone stay callable: a model that has seen one gets the server's own answer.
    for (const tool of tools) this.#byName.set(tool.toolName, tool);
    for (const tool of tools) this.#byName.set(tool.name, tool);
    this.#derived = { from, list, tools };
    return this.#derived;
  }

  get #prefix(): string {
    const { prefix = this.serverName } = this.#options;
    return prefix === false ? "" : prefix;
  }

  #isOffered(tool: Tool): boolean {
    const { include, exclude } = this.#options;
    return (include === undefined || matches(include, tool)) && !(exclude !== undefined && matches(exclude, tool));
  }

  #checkIncluded(tools: readonly Tool[]): void {
    const { include } = this.#options;
    if (include === undefined || typeof include === "function") return;
    const names = tools.map(({ name }) => name);
    const missing = include.filter((name) => !names.includes(name));
    if (missing.length === 0) return;
    const message = `MCP server "${this.serverName}" has no tool ${missing.map((name) => `"${name}"`).join(", ")}`;
    throw new McpConfigurationError([{ path: "include", message: `${message}; ${listNames(names)}` }]);
  }

  #pooledTool(name: string, tool: Tool): PooledTool {
    const { name: toolName, title, description, inputSchema, outputSchema, annotations, _meta } = tool;
    return Object.freeze({
      serverName: this.serverName,
      toolName,
      name,
      title: title ?? annotations?.title,
      description,
      inputSchema,
      outputSchema,
      annotations,
      _meta,
      // The manager is asked for anew: that of the process may be another by then.
      call: async (args?: Readonly<Record<string, unknown>>, options?: PooledCallOptions) => {
        const params = { name: toolName, arguments: args ?? {} };
        return (await this.#manager()).callTool(this.serverName, params, this.requestOptions(options));
      },
    });
  }
}

function matches(filter: ToolFilter, tool: Tool): boolean {
  return typeof filter === "function" ? filter(tool) : filter.includes(tool.name);
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return "it has none";
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return `known: ${names.slice(0, MAX_NAMES).join(", ")}${more}`;
}
