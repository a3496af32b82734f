import { homedir } from "node:os";
import { basename, dirname, sep } from "node:path";
import type { Problem, Problems } from "./problems.ts";
import { parseReferences, type Reference } from "./references.ts";
import { showKey } from "./reveal.ts";
import type { InputDefinition, ServerEntry } from "./server-entry.ts";
import type { Path } from "./source.ts";

/** Variables by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How references in the strings of servers are replaced. */
export interface InterpolateOptions {
  /** Supplies the value of `${input:id}`; the definition is there if the catalog has one. */
  readonly input?:
    | ((id: string, input: InputDefinition | undefined) => string | undefined | Promise<string | undefined>)
    | undefined;
  /** Supplies the value of `${scheme:name}` for any other scheme, from a secret manager for example. */
  readonly resolve?: ((scheme: string, name: string) => string | undefined | Promise<string | undefined>) | undefined;
  /** What becomes of a reference without a value: an error, the reference as it is, or nothing. @default "error" */
  readonly unset?: "error" | "keep" | "blank" | undefined;
}

/** What references stand for. */
export interface Lookup {
  readonly env: Environment;
  readonly unset: "error" | "keep" | "blank";
  /** Values of schemes, by {@link schemeKey}; there is none until they were asked for. */
  readonly resolved: ReadonlyMap<string, string | undefined>;
  readonly hasInput: boolean;
  readonly hasResolve: boolean;
}

/** Asks for the values of all schemes, each once. */
export async function resolveSchemes(
  entries: Iterable<ServerEntry>,
  { input, resolve }: InterpolateOptions,
): Promise<ReadonlyMap<string, string | undefined>> {
  const asked = new Map<string, Promise<string | undefined>>();
  for (const entry of entries) {
    for (const piece of stringsOf(entry.fields).flatMap(parseReferences)) {
      if (typeof piece === "string" || piece.kind !== "scheme") continue;
      const { scheme, name } = piece;
      const key = schemeKey(entry, scheme, name);
      if (asked.has(key)) continue;
      const ask = async () => (scheme === "input" ? input?.(name, entry.inputs.get(name)) : resolve?.(scheme, name));
      asked.set(key, ask());
    }
  }
  const answers = [...asked].map(async ([key, answer]) => [key, await answer.catch(() => undefined)] as const);
  return new Map(await Promise.all(answers));
}

/**
 * Replaces the references in one string, once; what they stand for is not looked at again.
 * @returns `undefined` when there is a problem, which is reported
 */
export function interpolate(
  text: string,
  entry: ServerEntry,
  path: Path,
  lookup: Lookup,
  problems: Problems,
): string | undefined {
  if (!text.includes("${")) return text;
  let isGood = true;
  const parts = parseReferences(text).map((piece) => {
    if (typeof piece === "string") return piece;
    const value = lookUp(piece, entry, lookup);
    if (value !== undefined) return value;
    if (piece.kind !== "bad" && lookup.unset === "blank") return "";
    if (piece.kind !== "bad" && lookup.unset === "keep") return written(piece);
    isGood = false;
    problems.report(entry.source, path, explain(piece, entry, lookup));
    return "";
  });
  return isGood ? parts.join("") : undefined;
}

/** Names what a scheme's reference is known by; inputs belong to the catalog that defines them. */
function schemeKey(entry: ServerEntry, scheme: string, name: string): string {
  return [scheme === "input" ? (entry.source.file ?? "") : "", scheme, name].join("\0");
}

function lookUp(reference: Reference, entry: ServerEntry, { env, resolved }: Lookup): string | undefined {
  switch (reference.kind) {
    case "variable":
      return (Object.hasOwn(env, reference.name) ? env[reference.name] : undefined) ?? reference.fallback;
    case "predefined":
      return predefined(reference.name, entry.source.directory);
    case "scheme": {
      const { scheme, name } = reference;
      const value = resolved.get(schemeKey(entry, scheme, name));
      return value ?? (scheme === "input" ? entry.inputs.get(name)?.default : undefined);
    }
    case "bad":
      return undefined;
  }
}

/** `workspaceFolder` is the folder of the file, or the one above for `.vscode/mcp.json` and `.cursor/mcp.json`. */
function predefined(name: string, directory: string): string {
  const workspace = basename(directory).startsWith(".") ? dirname(directory) : directory;
  if (name === "userHome") return homedir();
  if (name === "workspaceFolder") return workspace;
  return name === "workspaceFolderBasename" ? basename(workspace) : sep;
}

/** Says why a reference has no value, and what would give it one. */
function explain(reference: Reference, entry: ServerEntry, { hasInput, hasResolve }: Lookup): Problem {
  switch (reference.kind) {
    case "bad":
      return { message: reference.reason };
    case "predefined":
      return { message: `${reference.name} has no value` };
    case "variable": {
      const name = showKey(reference.name);
      return { message: `the environment variable ${name} is not set`, hint: `set it, or write \${${name}:-default}` };
    }
    case "scheme": {
      const scheme = showKey(reference.scheme);
      if (scheme === "input") return explainInput(reference.name, entry, hasInput);
      if (hasResolve) return { message: `nothing was found for a reference of the scheme "${scheme}"` };
      const hint = "loadMcpConfig({ interpolate: { resolve } }) supplies it";
      return { message: `the scheme "${scheme}" is not known`, hint };
    }
  }
}

function explainInput(name: string, { inputs }: ServerEntry, hasInput: boolean): Problem {
  const { description } = inputs.get(name) ?? {};
  const input = `the input "${showKey(name)}"${description === undefined ? "" : ` (${description.slice(0, 80)})`}`;
  if (hasInput) return { message: `no value was given for ${input}` };
  return { message: `${input} has no value`, hint: "loadMcpConfig({ interpolate: { input } }) supplies it" };
}

function written(reference: Reference): string {
  if (reference.kind === "scheme") return `\${${reference.scheme}:${reference.name}}`;
  return reference.kind === "bad" ? "" : `\${${reference.name}}`;
}

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}
