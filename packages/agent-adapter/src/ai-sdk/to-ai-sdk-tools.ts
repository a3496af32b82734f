import { type CallToolResult, McpConfigurationError } from "@mcp-pool/core";
import { collectTools, type PooledToolSource } from "../collect-tools.ts";
import type { PooledTool } from "../pooled-tool.ts";
import { type AiSdkSchema, wrapJsonSchema } from "./json-schema.ts";
import { type AiSdkModelOutput, type AiSdkToolOutput, type AiSdkVersion, modelOutput } from "./model-output.ts";

/** A tool of the AI SDK. */
export interface AiSdkTool<Version extends AiSdkVersion = 7> {
  readonly type: "dynamic";
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: AiSdkSchema;
  /** Where the tool is from, and what its server says of its behaviour; no model sees it. */
  readonly metadata: AiSdkToolMetadata;
  /** A result with `isError` is returned, and `false` is filled in, as the AI SDK's own MCP client does. */
  execute(input: unknown, options: { readonly abortSignal?: AbortSignal | undefined }): Promise<CallToolResult>;
  toModelOutput(output: AiSdkToolOutput): AiSdkModelOutput<Version>;
}

/** Where a tool is from, and what its server says of its behaviour. */
export type AiSdkToolMetadata = {
  serverName: string;
  toolName: string;
  title?: string;
  annotations?: Record<string, string | boolean>;
};

/** Options of {@link toAiSdkTools}. */
export interface AiSdkToolsOptions<Version extends AiSdkVersion> {
  /** The major version of `ai`. @default 7 */
  readonly version?: Version | undefined;
  /** Ends the listing of the tools. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a set of tools for the AI SDK: `generateText({ tools: await toAiSdkTools(tools) })`.
 * @throws {McpConfigurationError} when two tools have the same name, or for another version
 */
export async function toAiSdkTools<Version extends AiSdkVersion = 7>(
  source: PooledToolSource,
  { version = 7 as Version, signal }: AiSdkToolsOptions<Version> = {},
): Promise<Record<string, AiSdkTool<Version>>> {
  if (version !== 6 && version !== 7) {
    throw new McpConfigurationError([
      { path: "version", message: `must be 6 or 7, the major of "ai"; got ${version}` },
    ]);
  }
  const tools = await collectTools(source, { signal });
  return Object.fromEntries(tools.map((tool) => [tool.name, aiSdkTool(tool, version)]));
}

function aiSdkTool<Version extends AiSdkVersion>(tool: PooledTool, version: Version): AiSdkTool<Version> {
  const { title, description, inputSchema, _meta } = tool;
  const made = {
    type: "dynamic" as const,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    inputSchema: wrapJsonSchema(inputSchema),
    metadata: metadataOf(tool),
    async execute(input: unknown, { abortSignal }: { readonly abortSignal?: AbortSignal | undefined } = {}) {
      // The pool refuses what is no object.
      const result = await tool.call(input as Readonly<Record<string, unknown>>, { signal: abortSignal });
      return { ...result, isError: result.isError ?? false };
    },
    toModelOutput: (output: AiSdkToolOutput) => modelOutput(output, version),
    _meta,
  };
  return made;
}

function metadataOf({ serverName, toolName, title, annotations }: PooledTool): AiSdkToolMetadata {
  const hints = Object.entries(annotations ?? {}).filter((hint): hint is [string, string | boolean] => {
    return typeof hint[1] === "string" || typeof hint[1] === "boolean";
  });
  return {
    serverName,
    toolName,
    ...(title === undefined ? {} : { title }),
    ...(annotations === undefined ? {} : { annotations: Object.fromEntries(hints) }),
  };
}
