import type { CallToolResult } from "@mcp-pool/core";
import type { PooledTool } from "../pooled-tool.ts";
import { ToolException } from "./tool-exception.ts";

/** What a model is told of a result, and what only the application sees. */
export type ContentAndArtifact = [content: string | object | object[], artifact: object[]];

type Block = CallToolResult["content"][number];

/**
 * Divides a result as `@langchain/mcp-adapters` does by default: embedded resources, structured content and `_meta` are
 * artifacts, and everything else is content.
 * @throws {ToolException} for a result with `isError`, or with content of an unknown type
 */
export function contentAndArtifact({ serverName, name }: PooledTool, result: CallToolResult): ContentAndArtifact {
  if (result.isError) {
    const text = result.content.map((block) => (block.type === "text" ? block.text : "")).join("\n");
    throw new ToolException(`MCP tool '${name}' on server '${serverName}' returned an error: ${text}`);
  }
  const { content, structuredContent, _meta: meta } = result;
  const blocks = content
    .filter(({ type }) => type !== "resource")
    .map((block) => contentBlock(block, serverName, name));
  const artifacts: object[] = content.filter(({ type }) => type === "resource");
  if (structuredContent) artifacts.push({ type: "mcp_structured_content", data: structuredContent });
  if (meta) artifacts.push({ type: "mcp_meta", data: meta });

  const [only] = blocks;
  if (blocks.length !== 1 || only?.type !== "text") return [blocks, artifacts];
  if (!structuredContent && !meta) return [String(only.text), artifacts];
  return [{ ...only, ...(structuredContent ? { structuredContent } : {}), ...(meta ? { meta } : {}) }, artifacts];
}

function contentBlock(block: Block, serverName: string, name: string): { type: string; [key: string]: unknown } {
  switch (block.type) {
    case "text":
      return { type: "text", text: block.text };
    case "image":
      return { type: "image_url", image_url: { url: `data:${block.mimeType};base64,${block.data}` } };
    case "audio":
      return { type: "audio", source_type: "base64", data: block.data, mime_type: block.mimeType };
    case "resource_link":
      return { type: "file", source_type: "url", url: block.uri, mime_type: block.mimeType };
    default: {
      const what = `MCP tool '${name}' on server '${serverName}' returned a content block with unexpected type "${block.type}."`;
      throw new ToolException(`${what} Expected one of "text", "image", "audio", "resource_link", "resource".`);
    }
  }
}
