import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { MAX_FAULTS, type Problems } from "./problems.ts";
import type { SourceText } from "./read-source.ts";
import type { ConfigDocument, Path, Position, Source } from "./source.ts";

const SENTENCES: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is no JSON value; is the text in need of quotes?",
  InvalidNumberFormat: "this number is not valid",
  PropertyNameExpected: "the name of a property is expected here, in double quotes",
  ValueExpected: "a value is expected here",
  ColonExpected: "a colon is expected here",
  CommaExpected: "a comma is expected here",
  CloseBraceExpected: "a closing brace is missing",
  CloseBracketExpected: "a closing bracket is missing",
  EndOfFileExpected: "the document ends before this",
  InvalidCommentToken: "this comment is not valid",
  UnexpectedEndOfComment: "this comment does not end",
  UnexpectedEndOfString: "this string does not end",
  UnexpectedEndOfNumber: "this number does not end",
  InvalidUnicode: "this Unicode escape is not valid",
  InvalidEscapeCharacter: "this escape is not valid",
  InvalidCharacter: "this character is not allowed in a string",
};

/** Parses JSON with comments and trailing commas, or reports every place where it is wrong. */
export function parseJson({ source, text }: SourceText, problems: Problems): ConfigDocument | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const starts = lineStarts(text);
  const at = (offset: number) => positionOf(starts, offset);
  const refuse = (offset: number, message: string) => {
    const place: Source = { ...source, locate: () => at(offset) };
    problems.report(place, [], { message });
  };
  for (const { error, offset } of errors.slice(0, MAX_FAULTS)) {
    const code = printParseErrorCode(error);
    refuse(offset, SENTENCES[code] ?? `is no valid JSON (${code})`);
  }
  const value = root === undefined || errors.length > 0 ? undefined : toValue(root, refuse);
  if (root === undefined || problems.issues.length > 0) return undefined;
  return { value, source: { ...source, locate: (path, part) => locate(root, path, part, at) } };
}

function toValue(node: Node, refuse: (offset: number, message: string) => void): unknown {
  if (node.type === "array") return (node.children ?? []).map((child) => toValue(child, refuse));
  if (node.type !== "object") return node.value;
  const entries = new Map<string, unknown>();
  for (const { children: [key, value] = [] } of node.children ?? []) {
    if (key === undefined || value === undefined) continue;
    if (entries.has(String(key.value))) refuse(key.offset, "this key is there already");
    entries.set(String(key.value), toValue(value, refuse));
  }
  return Object.fromEntries(entries);
}

function locate(root: Node, path: Path, part: string | undefined, at: (offset: number) => Position): Position {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node === undefined) continue;
    const isKey = part === "key" && length === path.length && node.parent?.type === "property";
    return at((isKey ? node.parent : node)?.offset ?? 0);
  }
  return at(root.offset);
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (const { index } of text.matchAll(/\n/g)) starts.push(index + 1);
  return starts;
}

function positionOf(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
