import { type Issue, McpConfigurationError, type Tool } from "@mcp-pool/core";
import type { McpToolManager } from "./tool-manager.ts";

/** Picks tools: by their names at the server, or by a function. */
export type ToolFilter = readonly string[] | ((tool: Tool) => boolean);

/** Options of `createPooledMcpTools`. */
export interface PooledMcpToolsOptions {
  /** The manager whose pools are used. @default that of the process, which `mcp-pool` holds */
  readonly manager?: McpToolManager | undefined;
  /** Offers these tools only; a name that the server doesn't have is an error. @default all */
  readonly include?: ToolFilter | undefined;
  /** Offers all but these tools. @default none */
  readonly exclude?: ToolFilter | undefined;
  /** Stands before each tool's name, as in `<prefix>__<tool>`; `false` for the server's own names. @default the server's name */
  readonly prefix?: string | false | undefined;
  /** On whose behalf the tools are listed and called; each identity has its own connections. @default nobody's */
  readonly identity?: string | undefined;
}

const KNOWN = new Set(["manager", "include", "exclude", "prefix", "identity"]);

/** @throws {McpConfigurationError} which lists every problem */
export function checkToolsOptions(serverName: string, options: PooledMcpToolsOptions): void {
  const issues: Issue[] = [];
  const check = (path: string, isRight: boolean, message: string) => {
    if (!isRight) issues.push({ path, message });
  };
  check("server", isName(serverName), "must be the name of a configured server");
  if (typeof options !== "object" || options === null) {
    check("options", false, "must be an object");
    throw new McpConfigurationError(issues);
  }
  for (const name of Object.keys(options)) check(name, KNOWN.has(name), "is no option of pooled tools");
  const { manager, include, exclude, prefix, identity } = options;
  check("manager", manager === undefined || isManager(manager), `must be a connection manager${hintFor(manager)}`);
  check("include", isFilter(include), "must be an array of tool names, or a function");
  check("exclude", isFilter(exclude), "must be an array of tool names, or a function");
  check("prefix", prefix === undefined || prefix === false || isName(prefix), "must be a non-empty string, or false");
  check("identity", identity === undefined || isName(identity), "must be a non-empty string");
  if (issues.length > 0) throw new McpConfigurationError(issues);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isManager(value: unknown): boolean {
  return typeof value === "object" && value !== null && "callTool" in value && "listTools" in value;
}

function hintFor(manager: unknown): string {
  return typeof manager === "object" && manager !== null && "then" in manager ? "; this is a promise, so await it" : "";
}

function isFilter(value: unknown): boolean {
  return value === undefined || typeof value === "function" || (Array.isArray(value) && value.every(isName));
}
