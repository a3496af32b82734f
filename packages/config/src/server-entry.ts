import { didYouMean } from "./did-you-mean.ts";
import type { Problems } from "./problems.ts";
import { kindOf } from "./reveal.ts";
import { isRecord, type Path, type Source } from "./source.ts";
import { snakeCase } from "./spelling.ts";

/** A value that a catalog asks its user for, as in VS Code's `inputs`. */
export interface InputDefinition {
  readonly id: string;
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly password?: boolean | undefined;
  readonly default?: string | undefined;
}

/** The fields of a server that mean something here, as they are written: references are not replaced yet. */
export interface EntryFields {
  readonly type?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly cwd?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One server as a source names it. */
export interface ServerEntry {
  readonly name: string;
  readonly source: Source;
  readonly path: Path;
  readonly kind: "stdio" | "http";
  /** Those whose values have the right type. */
  readonly fields: EntryFields;
  readonly inputs: ReadonlyMap<string, InputDefinition>;
  readonly isDisabled: boolean;
  /** Returns where a field is written. */
  fieldPath(field: string): Path;
}

type Kind = "text" | "texts" | "texts-by-name";
const KINDS: Readonly<Record<keyof EntryFields, Kind>> = {
  type: "text",
  command: "text",
  args: "texts",
  env: "texts-by-name",
  envFile: "text",
  cwd: "text",
  url: "text",
  headers: "texts-by-name",
};

/** Other names of fields: LangChain says `transport`, Windsurf `serverUrl`, Gemini CLI `httpUrl`. */
const ALIASES: Readonly<Record<string, keyof EntryFields>> = { transport: "type", serverUrl: "url", httpUrl: "url" };

/** What other clients write beside and mean for themselves; it has no effect here. */
const FOREIGN: ReadonlySet<string> = new Set([
  "alwaysAllow",
  "authProviderType",
  "autoApprove",
  "description",
  "dev",
  "disabledTools",
  "enabledTools",
  "excludeTools",
  "gallery",
  "headersHelper",
  "icon",
  "includeTools",
  "name",
  "oauth",
  "sandbox",
  "sandboxEnabled",
  "source",
  "startup_timeout_ms",
  "timeout",
  "tools",
  "trust",
  "version",
]);

/** Checks the shape of one server, and reports what is wrong. */
export function checkEntry(
  name: string,
  raw: unknown,
  source: Source,
  path: Path,
  inputs: ReadonlyMap<string, InputDefinition>,
  problems: Problems,
): ServerEntry | undefined {
  if (!isGoodName(name)) {
    problems.report(source, path, { message: "is no name for a server", hint: NAME_HINT, part: "key" });
    return undefined;
  }
  if (!isRecord(raw)) {
    problems.report(source, path, { expected: "an object with a command or a url", found: kindOf(raw) });
    return undefined;
  }
  const fields: Record<string, unknown> = {};
  const written = new Map<string, string>();
  for (const [key, value] of Object.entries(raw)) {
    if (key === "disabled" || key === "enabled" || (FOREIGN.has(key) && source.dialect === "file")) continue;
    const field = fieldOf(key, source);
    const own = [...path, key];
    if (field === undefined) {
      const near = didYouMean(key, Object.keys(KINDS));
      const hint = near === undefined ? `there are ${Object.keys(KINDS).join(", ")}` : `did you mean "${near}"?`;
      problems.report(source, own, { message: "is not known here", hint, part: "key" });
    } else if (Object.hasOwn(fields, field)) {
      problems.report(source, own, { message: `sets ${field} again, in another spelling`, part: "key" });
    } else if (value !== undefined && !(value === null && source.dialect === "file")) {
      written.set(field, key);
      if (checkKind(KINDS[field], value, source, own, problems)) fields[field] = value;
    }
  }
  const hasUrl = written.has("url");
  if (written.has("command") === hasUrl) {
    const message = hasUrl ? "must not have both a command and a url" : "must have a command or a url";
    problems.report(source, path, { message });
    return undefined;
  }
  reportMisplaced(hasUrl, written, source, path, problems);
  if (written.get("url") === "httpUrl") fields.type ??= "streamable-http";
  const fieldPath = (field: string): Path => [...path, written.get(field) ?? field];
  const isDisabled = raw.disabled === true || raw.enabled === false;
  return {
    name,
    source,
    path,
    kind: hasUrl ? "http" : "stdio",
    fields: fields as EntryFields,
    inputs,
    isDisabled,
    fieldPath,
  };
}

const NAME_HINT = "a name has 1 to 128 characters, no control characters, and is not __proto__";

function isGoodName(name: string): boolean {
  return name.length > 0 && name.length <= 128 && name !== "__proto__" && !/[\p{Cc}\u2028\u2029]/u.test(name);
}

function fieldOf(key: string, { dialect }: Source): keyof EntryFields | undefined {
  const names = Object.keys(KINDS) as (keyof EntryFields)[];
  const isOf = (name: string) => name === key || (dialect === "file" && snakeCase(name) === key);
  const alias = dialect === "file" ? Object.keys(ALIASES).find(isOf) : undefined;
  return names.find(isOf) ?? (alias === undefined ? undefined : ALIASES[alias]);
}

/** Fields of one transport make no sense beside the other. */
function reportMisplaced(
  hasUrl: boolean,
  written: ReadonlyMap<string, string>,
  source: Source,
  path: Path,
  problems: Problems,
): void {
  for (const field of hasUrl ? ["args", "env", "envFile", "cwd"] : ["headers"]) {
    const key = written.get(field);
    if (key === undefined) continue;
    problems.report(source, [...path, key], {
      message: `is not known beside a ${hasUrl ? "url" : "command"}`,
      part: "key",
    });
  }
}

function checkKind(kind: Kind, value: unknown, source: Source, path: Path, problems: Problems): boolean {
  const found = kindOf(value);
  if (kind === "text") {
    if (typeof value !== "string") problems.report(source, path, { expected: "a string", found });
    return typeof value === "string";
  }
  const isList = kind === "texts";
  if (isList ? !Array.isArray(value) : !isRecord(value)) {
    problems.report(source, path, { expected: isList ? "a list of strings" : "an object of strings", found });
    return false;
  }
  const children: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value as object);
  const bad = children.filter(([, child]) => typeof child !== "string");
  for (const [key, child] of bad) {
    const hint = typeof child === "number" || typeof child === "boolean" ? "put it into quotes" : undefined;
    problems.report(source, [...path, key], { expected: "a string", found: kindOf(child), hint, part: "key" });
  }
  return bad.length === 0;
}
