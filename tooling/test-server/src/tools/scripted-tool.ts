import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import type { CallToolResult, ServerNotification, ServerRequest, Tool } from "@modelcontextprotocol/sdk/types.js";
import type { NamedValues } from "../named-values.ts";
import type { Session } from "../session.ts";

/** A tool: what the client is told of it, and what it does. */
export interface ScriptedTool {
  readonly definition: Tool;
  readonly run: (call: ToolCall) => CallToolResult | Promise<CallToolResult>;
}

/** One execution of a tool. */
export interface ToolCall {
  readonly given: NamedValues;
  readonly session: Session;
  readonly extra: RequestHandlerExtra<ServerRequest, ServerNotification>;
}

/** Makes an answer of one text. */
export function text(value: string): CallToolResult {
  return { content: [{ type: "text", text: value }] };
}

/** Makes an answer of one JSON object, as text and as structured content. */
export function json(value: Record<string, unknown>): CallToolResult {
  return { ...text(JSON.stringify(value)), structuredContent: value };
}

/** Describes arguments; all are required unless they are named as optional. */
export function inputs(properties: Record<string, object>, optional: readonly string[] = []): Tool["inputSchema"] {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}
