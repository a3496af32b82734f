import { type Issue, McpConfigurationError, McpServerNotFoundError } from "@mcp-pool/core";
import { PooledMcpTools } from "./pooled-mcp-tools.ts";
import { type McpToolManager, managerSource } from "./tool-manager.ts";

/** Options of {@link resolveAgentTools}. */
export interface ResolveAgentToolsOptions<Local = unknown> {
  /** The manager whose pools are used. @default that of the process, which `mcp-pool` holds */
  readonly manager?: McpToolManager | undefined;
  /** On whose behalf the tools are listed and called. @default nobody's */
  readonly identity?: string | undefined;
  /** Tools that names without `mcp.` stand for. @default none */
  readonly localTools?: Readonly<Record<string, Local>> | undefined;
  /** Whether a server that is not configured ends in an error, or is left out with a warning. @default "error" */
  readonly unknownServers?: "error" | "skip" | undefined;
  /** Hears of what was left out. @default a warning of the process, on stderr */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Where the references stand, such as a file; for the messages. @default nowhere */
  readonly place?: string | undefined;
}

/** A server, and the tools that are wanted of it: some, or all. */
interface Wanted {
  readonly server: string;
  readonly tools: Set<string> | "all";
}

const PREFIX = "mcp.";

/**
 * Turns the references of an agent's configuration into tools: `mcp.<server>` stands for all tools of a pooled server,
 * `mcp.<server>.<tool>` for one of them, another name for one of `localTools`; what is no string is a local tool itself.
 * All references to one server become one {@link PooledMcpTools}, in the place of the first. Nothing is opened.
 * @throws {McpServerNotFoundError} for a server that is not configured; it lists those that are
 * @throws {McpConfigurationError} which lists every other problem, or when a server is named and there is no manager
 */
export async function resolveAgentTools<Local = unknown>(
  references: readonly (string | Local)[],
  options: ResolveAgentToolsOptions<Local> = {},
): Promise<(PooledMcpTools | Local)[]> {
  if (!Array.isArray(references)) throw invalid(options, [{ path: "tools", message: "must be an array" }]);
  const needsManager = references.some((each) => typeof each === "string" && each.startsWith(PREFIX));
  const manager = needsManager ? await managerSource(options.manager)() : options.manager;
  const known = manager?.servers() ?? [];
  const issues: Issue[] = [];
  const resolved = references.flatMap((reference, index): (Wanted | { readonly local: Local })[] => {
    const report = (message: string) => void issues.push({ path: `tools[${index}]`, message });
    if (typeof reference !== "string") {
      if (reference === undefined || reference === null) report("must be a reference or a tool");
      return [{ local: reference }];
    }
    if (!reference.startsWith(PREFIX)) return findLocal(reference, options.localTools, known, report);
    return findServer(reference, known, options, report);
  });
  if (issues.length > 0) throw invalid(options, issues);

  const byServer = merge(resolved.filter((each) => "server" in each));
  const placed = new Set<string>();
  return resolved.flatMap((each): (PooledMcpTools | Local)[] => {
    if ("local" in each) return [each.local];
    if (placed.has(each.server)) return [];
    placed.add(each.server);
    const tools = byServer.get(each.server);
    const include = tools === undefined || tools === "all" ? undefined : [...tools];
    return [new PooledMcpTools(each.server, { manager, identity: options.identity, include })];
  });
}

function findLocal<Local>(
  name: string,
  localTools: Readonly<Record<string, Local>> = {},
  servers: readonly string[],
  report: (message: string) => void,
): { readonly local: Local }[] {
  const local = Object.hasOwn(localTools, name) ? localTools[name] : undefined;
  if (local !== undefined) return [{ local }];
  const names = Object.keys(localTools);
  const known = names.length === 0 ? "there are none" : `known: ${names.join(", ")}`;
  const hint = servers.includes(name) ? `; the MCP server of that name is "${PREFIX}${name}"` : "";
  report(`no local tool is called "${name}"; ${known}${hint}`);
  return [];
}

function findServer(
  reference: string,
  known: readonly string[],
  { unknownServers = "error", onWarning = warn, place }: ResolveAgentToolsOptions,
  report: (message: string) => void,
): Wanted[] {
  const rest = reference.slice(PREFIX.length);
  if (rest === "" || rest.endsWith(".")) {
    report(`must be "${PREFIX}<server>" or "${PREFIX}<server>.<tool>", got "${reference}"`);
    return [];
  }
  if (known.includes(rest)) return [{ server: rest, tools: "all" }];
  // Names of servers may have dots, and so may those of tools: the longest server that fits is meant.
  const server = known.filter((name) => rest.startsWith(`${name}.`)).sort((one, other) => other.length - one.length)[0];
  if (server !== undefined) return [{ server, tools: new Set([rest.slice(server.length + 1)]) }];
  const [name = rest] = rest.split(".");
  const error = new McpServerNotFoundError(name, known, place);
  if (unknownServers === "error") throw error;
  onWarning(`${error.message}; "${reference}" is left out`);
  return [];
}

function merge(wanted: readonly Wanted[]): ReadonlyMap<string, Wanted["tools"]> {
  const byServer = new Map<string, Wanted["tools"]>();
  for (const { server, tools } of wanted) {
    const before = byServer.get(server);
    const isAll = before === "all" || tools === "all";
    byServer.set(server, isAll ? "all" : new Set([...(before ?? []), ...tools]));
  }
  return byServer;
}

function invalid({ place }: ResolveAgentToolsOptions, issues: readonly Issue[]): McpConfigurationError {
  return new McpConfigurationError(issues.map((issue) => ({ ...issue, file: place })));
}

function warn(message: string): void {
  process.emitWarning(message, { code: "MCP_POOL_UNKNOWN_SERVER" });
}
