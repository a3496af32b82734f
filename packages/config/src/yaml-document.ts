import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from "yaml";
import { MAX_FAULTS, type Problems } from "./problems.ts";
import type { SourceText } from "./read-source.ts";
import type { ConfigDocument, Path, Position, Source } from "./source.ts";

/** More uses of anchors than this are taken for an attack ("billion laughs"). */
const MAX_ALIASES = 100;

/** The library's own messages quote the text, which may be secret; these say the same without it. */
const SENTENCES: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias cannot have a tag or an anchor",
  BAD_ALIAS: "this alias has no anchor before it, or no name",
  BAD_DIRECTIVE: "this directive is not known",
  BAD_DQ_ESCAPE: "this escape is not valid in double quotes",
  BAD_INDENT: "the indentation is wrong here",
  BAD_SCALAR_START: "a plain text cannot start with this character; put it into quotes",
  BLOCK_AS_IMPLICIT_KEY: "a nested mapping is not allowed here; is the text in need of quotes?",
  BLOCK_IN_FLOW: "a block is not allowed within brackets or braces",
  DUPLICATE_KEY: "this key is there already",
  MISSING_CHAR: "a character is missing here, such as a colon, a comma, a quote or a bracket",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line",
  MULTIPLE_DOCS: "there is more than one document in the file",
  RESOURCE_EXHAUSTION: "is nested too deeply",
  TAB_AS_INDENT: "tabs cannot be used for indentation; use spaces",
  TAG_RESOLVE_FAILED: "this tag is not known",
  UNEXPECTED_TOKEN: "this is not expected here",
};

/** Parses YAML 1.2 with merge keys, or reports every place where it is wrong. */
export function parseYaml({ source, text }: SourceText, problems: Problems): ConfigDocument | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { merge: true, prettyErrors: false, logLevel: "error", lineCounter: lines });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = worthTelling([...document.errors, ...document.warnings]);
  for (const { code, pos } of faults) {
    const place: Source = { ...source, locate: () => at(pos[0]) };
    problems.report(place, [], { message: SENTENCES[code] ?? `is no valid YAML (${code})` });
  }
  if (faults.length > 0) return undefined;
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { value, source: { ...source, locate: (path, part) => locate(document, path, part, at) } };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const tooMany = `uses aliases more than ${MAX_ALIASES} times, once they are followed`;
    const message =
      error instanceof ReferenceError ? tooMany : "a merge key (<<) needs a mapping, or a list of mappings";
    problems.report(source, [], { message });
    return undefined;
  }
}

/** One fault tells enough of a place; where the nesting ends the parser, the rest follows from that. */
function worthTelling(faults: readonly YAMLError[]): readonly YAMLError[] {
  const tooDeep = faults.filter(({ code }) => code === "RESOURCE_EXHAUSTION").slice(0, 1);
  if (tooDeep.length > 0) return tooDeep;
  return [...new Map(faults.toReversed().map((fault) => [fault.pos[0], fault])).values()]
    .toReversed()
    .slice(0, MAX_FAULTS);
}

function locate(
  document: Document.Parsed,
  path: Path,
  part: "key" | "value" | undefined,
  at: (offset: number) => Position,
): Position | undefined {
  const follow = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  let node: unknown = document.contents;
  let offset = offsetOf(node);
  for (const [index, key] of path.entries()) {
    const parent = follow(node);
    const isLast = index === path.length - 1;
    if (isMap(parent)) {
      const pair = findPair(parent.items, String(key), follow);
      if (pair === undefined) break;
      node = pair.value;
      const value = offsetOf(node);
      offset = (part === "key" && isLast ? undefined : value) ?? offsetOf(pair.key) ?? offset;
    } else if (isSeq(parent)) {
      node = parent.items[Number(key)];
      offset = offsetOf(node) ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : at(offset);
}

/** Finds a key, also in what is merged in. */
function findPair(items: readonly Pair[], key: string, follow: (node: unknown) => unknown): Pair | undefined {
  const nameOf = ({ key: node }: Pair) => (isScalar(node) ? String(node.value) : undefined);
  const own = items.find((pair) => nameOf(pair) === key);
  if (own !== undefined) return own;
  for (const merged of items.filter((pair) => nameOf(pair) === "<<")) {
    const node = follow(merged.value);
    for (const each of isSeq(node) ? node.items.map(follow) : [node]) {
      const pair = isMap(each) ? each.items.find((other) => nameOf(other) === key) : undefined;
      if (pair !== undefined) return pair;
    }
  }
  return undefined;
}

function offsetOf(node: unknown): number | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range == null ? undefined : range[0];
}
