// What MCP servers take and send, as far as a pool's user needs it: protocol revisions 2025-11-25 and 2026-07-28.
// Results are type aliases, since an interface is not assignable to the open types ("any other key") of the official SDKs.
// For the same reason, only what the pool caches has read-only arrays, and optional properties may be undefined.

/** Holds extra data that the protocol or an application attaches to a message. */
export type Meta = Readonly<Record<string, unknown>>;

/** Holds the `_meta` of a result; the two named keys are those that the protocol itself has defined. */
export interface ResultMeta {
  readonly progressToken?: string | number | undefined;
  readonly "io.modelcontextprotocol/related-task"?: { readonly taskId: string } | undefined;
  readonly [key: string]: unknown;
}

/** Names the side of a conversation that a message is from. */
export type Role = "user" | "assistant";

/** Tells for whom content is and how much it matters. */
export interface Annotations {
  readonly audience?: Role[] | undefined;
  /** From 0, optional, to 1, most important. */
  readonly priority?: number | undefined;
  /** ISO 8601 time. */
  readonly lastModified?: string | undefined;
}

/** Points to an image that stands for a tool, a resource or a prompt. */
export interface Icon {
  /** An https or data URI. */
  readonly src: string;
  readonly mimeType?: string | undefined;
  /** Sizes such as `48x48`, or `any`. */
  readonly sizes?: string[] | undefined;
  readonly theme?: "light" | "dark" | undefined;
}

/** Holds text. */
export interface TextContent {
  readonly type: "text";
  readonly text: string;
  readonly annotations?: Annotations | undefined;
  readonly _meta?: Meta | undefined;
}

/** Holds an image. */
export interface ImageContent {
  readonly type: "image";
  /** Base64. */
  readonly data: string;
  readonly mimeType: string;
  readonly annotations?: Annotations | undefined;
  readonly _meta?: Meta | undefined;
}

/** Holds sound. */
export interface AudioContent {
  readonly type: "audio";
  /** Base64. */
  readonly data: string;
  readonly mimeType: string;
  readonly annotations?: Annotations | undefined;
  readonly _meta?: Meta | undefined;
}

/** Names a resource that the client may read. */
export interface ResourceLink extends Resource {
  readonly type: "resource_link";
}

/** Holds a resource itself. */
export interface EmbeddedResource {
  readonly type: "resource";
  readonly resource: ResourceContents;
  readonly annotations?: Annotations | undefined;
  readonly _meta?: Meta | undefined;
}

/** Holds one piece of what a tool or a prompt yields. */
export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource;

/** Holds a resource as text. */
export interface TextResourceContents {
  readonly uri: string;
  readonly mimeType?: string | undefined;
  readonly text: string;
  readonly _meta?: Meta | undefined;
}

/** Holds a resource as bytes. */
export interface BlobResourceContents {
  readonly uri: string;
  readonly mimeType?: string | undefined;
  /** Base64. */
  readonly blob: string;
  readonly _meta?: Meta | undefined;
}

/** Holds what a resource contains. */
export type ResourceContents = TextResourceContents | BlobResourceContents;

/** Describes an object in JSON Schema 2020-12. */
export interface JsonObjectSchema {
  readonly type: "object";
  readonly properties?: Record<string, object> | undefined;
  readonly required?: string[] | undefined;
  readonly [keyword: string]: unknown;
}

/** Describes how a tool behaves; hints of the server, not promises. */
export interface ToolAnnotations {
  readonly title?: string | undefined;
  readonly readOnlyHint?: boolean | undefined;
  readonly destructiveHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
  readonly openWorldHint?: boolean | undefined;
}

/** Describes a tool. */
export interface Tool {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema: JsonObjectSchema;
  readonly outputSchema?: JsonObjectSchema | undefined;
  readonly annotations?: ToolAnnotations | undefined;
  readonly execution?: { readonly taskSupport?: "required" | "optional" | "forbidden" | undefined } | undefined;
  readonly icons?: Icon[] | undefined;
  readonly _meta?: Meta | undefined;
}

/** Describes a resource. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly annotations?: Annotations | undefined;
  readonly icons?: Icon[] | undefined;
  readonly _meta?: Record<string, unknown> | undefined;
}

/** Describes a family of resources. */
export interface ResourceTemplate {
  /** RFC 6570. */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
  readonly annotations?: Annotations | undefined;
  readonly icons?: Icon[] | undefined;
  readonly _meta?: Record<string, unknown> | undefined;
}

/** Describes one argument of a prompt. */
export interface PromptArgument {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly required?: boolean | undefined;
}

/** Describes a prompt. */
export interface Prompt {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly arguments?: PromptArgument[] | undefined;
  readonly icons?: Icon[] | undefined;
  readonly _meta?: Record<string, unknown> | undefined;
}

/** Holds one message of a prompt. */
export interface PromptMessage {
  readonly role: Role;
  readonly content: ContentBlock;
}

/** Names a tool and gives its arguments. */
export type CallToolParams = {
  readonly name: string;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  readonly _meta?: Meta | undefined;
};

/** Holds what a tool returned; a failure of the tool is a result with `isError`. */
export type CallToolResult = {
  readonly content: ContentBlock[];
  /** An object up to revision 2025-11-25; a later server may send any JSON value. */
  readonly structuredContent?: Record<string, unknown> | undefined;
  readonly isError?: boolean | undefined;
  readonly _meta?: ResultMeta | undefined;
};

/** Lists every tool of a server. */
export type ListToolsResult = { readonly tools: readonly Tool[] };

/** Lists every resource of a server. */
export type ListResourcesResult = { readonly resources: Resource[] };

/** Lists every resource template of a server. */
export type ListResourceTemplatesResult = { readonly resourceTemplates: ResourceTemplate[] };

/** Lists every prompt of a server. */
export type ListPromptsResult = { readonly prompts: Prompt[] };

/** Names a resource. */
export type ResourceParams = {
  readonly uri: string;
  readonly _meta?: Meta | undefined;
};

/** Holds what a resource contains. */
export type ReadResourceResult = {
  readonly contents: ResourceContents[];
  readonly _meta?: ResultMeta | undefined;
};

/** Names a prompt and gives its arguments. */
export type GetPromptParams = {
  readonly name: string;
  readonly arguments?: Readonly<Record<string, string>> | undefined;
  readonly _meta?: Meta | undefined;
};

/** Holds a prompt with its arguments filled in. */
export type GetPromptResult = {
  readonly description?: string | undefined;
  readonly messages: PromptMessage[];
  readonly _meta?: ResultMeta | undefined;
};

/** Names what to complete, and holds what was typed so far. */
export type CompleteParams = {
  readonly ref:
    | { readonly type: "ref/prompt"; readonly name: string; readonly title?: string | undefined }
    | { readonly type: "ref/resource"; readonly uri: string };
  readonly argument: { readonly name: string; readonly value: string };
  /** Arguments that are already decided. */
  readonly context?: { readonly arguments?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly _meta?: Meta | undefined;
};

/** Holds proposals for the rest of an argument. */
export type CompleteResult = {
  readonly completion: {
    /** At most 100. */
    readonly values: string[];
    readonly total?: number | undefined;
    readonly hasMore?: boolean | undefined;
  };
  readonly _meta?: ResultMeta | undefined;
};
