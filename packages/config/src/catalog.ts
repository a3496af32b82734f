import type { Problems } from "./problems.ts";
import { kindOf } from "./reveal.ts";
import { checkEntry, type InputDefinition, type ServerEntry } from "./server-entry.ts";
import { type ConfigDocument, isRecord, type Path, type Source } from "./source.ts";

const NO_INPUTS: ReadonlyMap<string, InputDefinition> = new Map();

/** Reads a catalog of any client: `mcpServers`, or `servers` with `inputs`. Its other settings are that client's own. */
export function readCatalog({ source, value }: ConfigDocument, problems: Problems): readonly ServerEntry[] {
  if (!isRecord(value)) {
    problems.report(source, [], { expected: "an object with mcpServers or servers", found: kindOf(value) });
    return [];
  }
  if (value.mcpServers === undefined && value.servers === undefined) {
    problems.report(source, [], { message: "has neither mcpServers nor servers, so it is no catalog of MCP servers" });
    return [];
  }
  return readServers(value, source, problems);
}

/** Reads the servers of a document, from `mcpServers` and `servers` together. */
export function readServers(
  value: Readonly<Record<string, unknown>>,
  source: Source,
  problems: Problems,
): readonly ServerEntry[] {
  const inputs = readInputs(value.inputs, source, problems);
  const entries = new Map<string, ServerEntry>();
  const seen = new Set<string>();
  for (const key of ["mcpServers", "mcp_servers", "servers"]) {
    const servers = value[key];
    if (servers === undefined || (servers === null && source.dialect === "file")) continue;
    if (!isRecord(servers)) {
      problems.report(source, [key], {
        expected: "an object with the names of servers as keys",
        found: kindOf(servers),
      });
      continue;
    }
    for (const [name, raw] of Object.entries(servers)) {
      const path: Path = [key, name];
      if (seen.has(name)) {
        problems.report(source, path, { message: "is there already, under another key of this file", part: "key" });
        continue;
      }
      seen.add(name);
      const entry = checkEntry(name, raw, source, path, inputs, problems);
      if (entry !== undefined) entries.set(name, entry);
    }
  }
  return [...entries.values()];
}

function readInputs(value: unknown, source: Source, problems: Problems): ReadonlyMap<string, InputDefinition> {
  if (value === undefined || value === null) return NO_INPUTS;
  if (!Array.isArray(value)) {
    problems.report(source, ["inputs"], { expected: "a list of inputs", found: kindOf(value) });
    return NO_INPUTS;
  }
  const inputs = new Map<string, InputDefinition>();
  for (const [index, each] of value.entries()) {
    if (!isRecord(each) || typeof each.id !== "string" || each.id === "") {
      problems.report(source, ["inputs", index], { expected: "an object with an id", found: kindOf(each) });
      continue;
    }
    const { id, type, description, password, default: fallback } = each;
    inputs.set(id, {
      id,
      ...(typeof type === "string" && { type }),
      ...(typeof description === "string" && { description }),
      ...(typeof password === "boolean" && { password }),
      ...(typeof fallback === "string" && { default: fallback }),
    });
  }
  return inputs;
}
