import { readServers } from "./catalog.ts";
import { readEnvironment, VARIABLES } from "./environment.ts";
import type { Environment } from "./interpolation.ts";
import { type ConfigBlocks, configBlocksSchema } from "./mcp-pool-config.ts";
import { keyOf, normalise } from "./normalise.ts";
import type { Problems } from "./problems.ts";
import { kindOf } from "./reveal.ts";
import type { ServerEntry } from "./server-entry.ts";
import { CODE, type ConfigDocument, isRecord, type Path, type Source } from "./source.ts";

/** What one source says, in the spelling of code. */
export interface Layer {
  readonly source: Source;
  readonly blocks: ConfigBlocks;
  readonly servers: readonly ServerEntry[];
  /** Says where a value was set, in words: `config.yaml:3:5`, the name of a variable, or `code`. */
  originOf(path: Path): string;
  /** Returns where a value is written, for messages. */
  writtenPath(path: Path): Path;
}

/** Keys of a file that are no settings. */
const FILE_KEYS: ReadonlySet<string> = new Set(["$schema", "servers", "inputs"]);

/** Reads a document of settings and servers. */
export function documentLayer({ source, value }: ConfigDocument, problems: Problems): Layer {
  if (!isRecord(value)) {
    problems.report(source, [], { expected: "an object with keys such as mcpServers and pool", found: kindOf(value) });
    return { source, blocks: {}, servers: [], originOf: () => "", writtenPath: (path) => path };
  }
  const isFile = source.dialect === "file";
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !(isFile && FILE_KEYS.has(key))));
  const { value: blocks, writtenPath } = normalise(rest, configBlocksSchema, source, problems);
  const named = isFile ? value : { mcpServers: value.mcpServers };
  const servers = readServers(named, source, problems);
  return { source, blocks, servers, writtenPath, originOf: (path) => placeOf(source, writtenPath(path)) };
}

/** Reads the variables of an environment. */
export function environmentLayer(env: Environment, problems: Problems): Layer {
  const blocks = readEnvironment(env, problems);
  const names = new Map(Object.entries(VARIABLES).map(([name, { path }]) => [keyOf(path), name]));
  const nameOf = (path: Path) => names.get(keyOf(path)) ?? "environment";
  return { source: CODE, blocks, servers: [], originOf: nameOf, writtenPath: (path) => [nameOf(path)] };
}

/** Says where something is written. */
export function placeOf(source: Source, path: Path): string {
  if (source.file === undefined) return "code";
  const { line, column } = source.locate(path) ?? {};
  return [source.file, line, column].filter((each) => each !== undefined).join(":");
}
