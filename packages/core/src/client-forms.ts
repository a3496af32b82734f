import { type Issue, McpValidationError } from "./errors.ts";
import type { CallToolResult } from "./protocol.ts";

/** What a value must be. */
export interface Kind {
  readonly name: string;
  accepts(value: unknown): boolean;
}

const TEXT: Kind = { name: "a non-empty string", accepts: (value) => typeof value === "string" && value !== "" };
export const LIST: Kind = { name: "an array", accepts: Array.isArray };
export const OBJECT: Kind = { name: "an object", accepts: isObject };
const OPTIONAL: Kind = {
  name: "an object or undefined",
  accepts: (value) => value === undefined || isObject(value),
};

type Parameters = Readonly<Record<string, unknown>>;

/** What the parameters of a method must be. */
export interface Form {
  fits(params: Parameters): boolean;
  /** What is wrong with those that don't fit. */
  issues(params: Parameters): Issue[];
}

export const ADDRESSED: Form = formOf({ uri: TEXT, _meta: OPTIONAL });
export const COMPLETABLE: Form = formOf({ ref: OBJECT, argument: OBJECT, context: OPTIONAL, _meta: OPTIONAL });

/** That of most calls. Asks for each by its own name: a look-up by a name that varies costs more than all the rest of the check. */
export const NAMED: Form = {
  ...formOf({ name: TEXT, arguments: OPTIONAL, _meta: OPTIONAL }),
  fits: (params) => TEXT.accepts(params.name) && OPTIONAL.accepts(params.arguments) && OPTIONAL.accepts(params._meta),
};

function formOf(kinds: Readonly<Record<string, Kind>>): Form {
  const issues = (params: Parameters) =>
    Object.entries(kinds)
      .filter(([path, kind]) => !kind.accepts(params[path]))
      .map(([path, kind]) => ({ path, message: `must be ${kind.name}, got ${describe(params[path])}` }));
  return { fits: (params) => issues(params).length === 0, issues };
}

/** Whose result it is, for messages. */
export interface ResultSource {
  readonly serverName?: string | undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function describe(value: unknown): string {
  if (value === "") return "an empty string";
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

export function readToolResult(result: unknown, source: ResultSource): CallToolResult {
  // The 1.x SDK too takes a result without content, as servers of the first revisions send it, for an empty one.
  if (isObject(result) && result.content === undefined && result.resultType !== "input_required") {
    return { ...result, content: [] };
  }
  return checked("tools/call", result, LIST, "content", source) as CallToolResult;
}

export function checked(
  method: string,
  result: unknown,
  wanted: Kind,
  field: string,
  source: ResultSource,
): Readonly<Record<string, unknown>> {
  if (!isObject(result)) throw misfit(method, "", `must be an object, got ${describe(result)}`, source);
  if (field !== "" && !wanted.accepts(result[field])) {
    throw misfit(method, field, `must be ${wanted.name}, got ${describe(result[field])}`, source);
  }
  return result;
}

export function misfit(
  method: string,
  path: string,
  message: string,
  { serverName }: ResultSource,
): McpValidationError {
  const text = `${nameOf(serverName)} answered ${method} in the wrong form: ${path || "the result"} ${message}`;
  return new McpValidationError(text, { serverName, issues: [{ path, message }] });
}

export function nameOf(serverName: string | undefined): string {
  return serverName === undefined ? "the MCP server" : `MCP server "${serverName}"`;
}
