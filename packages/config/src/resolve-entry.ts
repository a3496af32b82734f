import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { interpolate, type Lookup } from "./interpolation.ts";
import { Problems } from "./problems.ts";
import { readSource } from "./read-source.ts";
import { kindOf, showKey } from "./reveal.ts";
import type { ResolvedServerConfig } from "./server-config.ts";
import type { ServerEntry } from "./server-entry.ts";
import type { Path } from "./source.ts";

const STDIO_TYPES: readonly string[] = ["stdio", "local"];
const STREAMABLE_TYPES: readonly string[] = ["http", "streamable-http", "streamable_http", "streamableHttp"];
const HTTP_TYPES: readonly string[] = [...STREAMABLE_TYPES, "sse"];

/** Completes one server: replaces its references, reads its file of variables, and checks what comes out. */
export function resolveEntry(entry: ServerEntry, lookup: Lookup, problems: Problems): ResolvedServerConfig | undefined {
  const { fields, source } = entry;
  const before = problems.issues.length;
  const text = (value: string | undefined, path: Path) =>
    value === undefined ? undefined : interpolate(value, entry, path, lookup, problems);
  const byName = (field: "env" | "headers"): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(fields[field] ?? {}).map(([key, value]) => [
        key,
        text(value, [...entry.fieldPath(field), key]) ?? "",
      ]),
    );
  const type = text(fields.type, entry.fieldPath("type"));
  const report = (field: string, expected: string, found: string) =>
    problems.report(source, entry.fieldPath(field), { expected, found });
  const checkType = (types: readonly string[], beside: string) => {
    if (type !== undefined && !types.includes(type))
      report("type", `${types.join(" or ")} beside a ${beside}`, kindOf(type));
  };

  if (entry.kind === "stdio") {
    const command = text(fields.command, entry.fieldPath("command"));
    const args = (fields.args ?? []).map((arg, index) => text(arg, [...entry.fieldPath("args"), index]) ?? "");
    const cwd = text(fields.cwd, entry.fieldPath("cwd"));
    const env = { ...variablesOf(entry, text(fields.envFile, entry.fieldPath("envFile")), problems), ...byName("env") };
    checkType(STDIO_TYPES, "command");
    if (command === "") report("command", "a string that is not empty", "an empty string");
    checkNoNull(entry, { command, args, cwd, env }, problems);
    if (problems.issues.length > before || command === undefined) return undefined;
    return { type: "stdio", command, args, env, ...(cwd !== undefined && { cwd }) };
  }

  const url = text(fields.url, entry.fieldPath("url"));
  const headers = byName("headers");
  checkType(HTTP_TYPES, "url");
  if (url !== undefined && !isHttpUrl(url)) report("url", "an absolute http or https URL", "a text of another form");
  if (problems.issues.length === before) {
    for (const [name, value] of Object.entries(headers)) checkHeader(entry, name, value, problems);
  }
  if (problems.issues.length > before || url === undefined) return undefined;
  if (type === "sse") return { type: "sse", url, headers };
  return { type: "streamable-http", url, headers, sseFallback: type === undefined || type === "http" };
}

/** Returns the absolute paths of all files of variables whose names are known, be they there or not. */
export function variableFiles(entries: readonly ServerEntry[], lookup: Lookup): readonly string[] {
  return entries.flatMap((entry) => {
    const { envFile } = entry.fields;
    if (envFile === undefined) return [];
    const named = interpolate(envFile, entry, entry.fieldPath("envFile"), lookup, new Problems());
    return named === undefined ? [] : [resolve(entry.source.directory, named)];
  });
}

/** Reads a file of variables. Its problems are told at the field that names it, since they must not quote it. */
function variablesOf(
  { source, fieldPath }: ServerEntry,
  envFile: string | undefined,
  problems: Problems,
): Readonly<Record<string, string>> {
  if (envFile === undefined) return {};
  const own = new Problems();
  const read = readSource(resolve(source.directory, envFile), own);
  for (const { message } of own.issues)
    problems.report(source, fieldPath("envFile"), { message: `the file ${message}` });
  return read === undefined
    ? {}
    : Object.fromEntries(Object.entries(parseEnv(read.text)).map(([key, value]) => [key, value ?? ""]));
}

function isHttpUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** Says that a header cannot be sent, but not its value, unlike the error of `Headers`. */
function checkHeader({ source, fieldPath }: ServerEntry, name: string, value: string, problems: Problems): void {
  try {
    new Headers([[name, value]]);
  } catch {
    problems.report(source, [...fieldPath("headers"), name], {
      message: "is no valid name or value of an HTTP header",
    });
  }
}

/** No program can be given a null character. */
function checkNoNull(
  { source, fieldPath }: ServerEntry,
  values: Readonly<Record<string, unknown>>,
  problems: Problems,
): void {
  for (const [field, value] of Object.entries(values)) {
    if (!JSON.stringify(value ?? "").includes("\\u0000")) continue;
    problems.report(source, fieldPath(field), { message: `${showKey(field)} holds a null character` });
  }
}
