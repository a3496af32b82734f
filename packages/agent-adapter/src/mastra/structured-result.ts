import type { CallToolResult } from "@mcp-pool/core";

/** Where Mastra looks for the content and the `_meta` behind a structured result. */
const CONTENT = Symbol.for("mastra.mcp.callToolContent");
const META = Symbol.for("mastra.mcp.callToolMeta");

/** Returns what an agent gets of a result: its structured content, with the rest behind it, or else the result itself. */
export function structuredResult(result: CallToolResult): unknown {
  const { structuredContent, content, _meta } = result;
  if (structuredContent === undefined) return result;
  if (typeof structuredContent !== "object" || structuredContent === null) return structuredContent;
  // A copy takes the marks, since the result may be shared.
  const copy: object = Array.isArray(structuredContent) ? [...structuredContent] : { ...structuredContent };
  Object.defineProperty(copy, CONTENT, { value: content, configurable: true });
  if (_meta !== undefined) Object.defineProperty(copy, META, { value: _meta, configurable: true });
  return copy;
}

/** Says what a model is told of a structured result: its text, and its data only where there is no text. */
export function structuredModelOutput(
  output: unknown,
): { type: "text"; value: string } | { type: "json"; value: unknown } {
  const content = typeof output === "object" && output !== null && CONTENT in output ? output[CONTENT] : undefined;
  const text = textOf(content);
  return text === "" ? { type: "json", value: output } : { type: "text", value: text };
}

/** Joins the texts of a result's content. */
export function textOf(content: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks
    .flatMap((block) => (isText(block) ? [block.text] : []))
    .join("\n")
    .trim();
}

function isText(block: unknown): block is { readonly text: string } {
  return typeof block === "object" && block !== null && "type" in block && block.type === "text" && "text" in block;
}
