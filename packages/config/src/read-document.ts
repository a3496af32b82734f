import { extname } from "node:path";
import { parseJson } from "./json-document.ts";
import type { Problems } from "./problems.ts";
import { readSource } from "./read-source.ts";
import type { ConfigDocument, Path, Source } from "./source.ts";
import { parseYaml } from "./yaml-document.ts";

const JSON_EXTENSIONS: ReadonlySet<string> = new Set([".json", ".jsonc", ".json5"]);
const YAML_EXTENSIONS: ReadonlySet<string> = new Set([".yaml", ".yml"]);

/** Deeper than any configuration is. */
const MAX_DEPTH = 64;

/** Reads a file as YAML or JSON with comments: by its extension, or else by how it begins. */
export function readDocument(path: string, problems: Problems): ConfigDocument | undefined {
  const read = readSource(path, problems);
  if (read === undefined) return undefined;
  const extension = extname(path).toLowerCase();
  const isJson =
    JSON_EXTENSIONS.has(extension) || (!YAML_EXTENSIONS.has(extension) && /^\s*(\{|\/[/*])/.test(read.text));
  try {
    const document = isJson ? parseJson(read, problems) : parseYaml(read, problems);
    if (document === undefined) return undefined;
    return { ...document, value: checkDepth(document.value, document.source, problems) };
  } catch (error) {
    // The parsers are recursive: their stack ends before a document like [[[[[… does.
    if (!(error instanceof RangeError)) throw error;
    problems.report(read.source, [], { message: "is nested too deeply" });
    return undefined;
  }
}

/** Replaces what is nested too deeply, or contains itself, and reports it. */
export function checkDepth(value: unknown, source: Source, problems: Problems): unknown {
  const ancestors = new Set<object>();
  const visit = (each: unknown, path: Path): boolean => {
    if (typeof each !== "object" || each === null) return true;
    const isCycle = ancestors.has(each);
    if (isCycle || path.length > MAX_DEPTH) {
      problems.report(source, path, { message: isCycle ? "refers to itself" : "is nested too deeply" });
      return false;
    }
    ancestors.add(each);
    const children: (readonly [string | number, unknown])[] = Array.isArray(each)
      ? [...each.entries()]
      : Object.entries(each);
    const isGood = children.every(([key, child]) => visit(child, [...path, key]));
    ancestors.delete(each);
    return isGood;
  };
  return visit(value, []) ? value : undefined;
}
