// What a server may ask of its client, as far as handlers need it: protocol revisions 2025-11-25 and 2026-07-28.
import type {
  AudioContent,
  ContentBlock,
  ImageContent,
  JsonObjectSchema,
  Meta,
  Role,
  TextContent,
} from "./protocol.ts";

/** Holds one piece of what a model is told, or says. */
export type SamplingContent =
  | TextContent
  | ImageContent
  | AudioContent
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
      readonly _meta?: Meta | undefined;
    }
  | {
      readonly type: "tool_result";
      readonly toolUseId: string;
      readonly content: ContentBlock[];
      readonly structuredContent?: Readonly<Record<string, unknown>> | undefined;
      readonly isError?: boolean | undefined;
      readonly _meta?: Meta | undefined;
    };

/** Holds one message of a conversation with a model. */
export interface SamplingMessage {
  readonly role: Role;
  readonly content: SamplingContent | SamplingContent[];
  readonly _meta?: Meta | undefined;
}

/** Asks for a message of a language model. */
export type CreateMessageParams = {
  readonly messages: SamplingMessage[];
  readonly maxTokens: number;
  readonly systemPrompt?: string | undefined;
  readonly temperature?: number | undefined;
  readonly stopSequences?: string[] | undefined;
  readonly includeContext?: "none" | "thisServer" | "allServers" | undefined;
  readonly modelPreferences?:
    | {
        readonly hints?: { readonly name?: string | undefined }[] | undefined;
        /** From 0 to 1, as the next two. */
        readonly costPriority?: number | undefined;
        readonly speedPriority?: number | undefined;
        readonly intelligencePriority?: number | undefined;
      }
    | undefined;
  readonly tools?: readonly { readonly name: string; readonly [key: string]: unknown }[] | undefined;
  readonly toolChoice?: { readonly mode?: "auto" | "required" | "none" | undefined } | undefined;
  readonly metadata?: object | undefined;
  readonly _meta?: Meta | undefined;
};

/** Holds what the model said. */
export type CreateMessageResult = {
  readonly model: string;
  readonly role: Role;
  readonly content: SamplingContent | SamplingContent[];
  /** Such as `endTurn`, `maxTokens`, `stopSequence` or `toolUse`. */
  readonly stopReason?: string | undefined;
  readonly _meta?: Meta | undefined;
};

/** Asks the user for data: by a form, or by a web page that the server names. */
export type ElicitParams =
  | {
      readonly mode?: "form" | undefined;
      readonly message: string;
      /** A flat object of strings, numbers, booleans and choices. */
      readonly requestedSchema: JsonObjectSchema;
      readonly _meta?: Meta | undefined;
    }
  | {
      readonly mode: "url";
      readonly message: string;
      readonly url: string;
      readonly elicitationId?: string | undefined;
      readonly _meta?: Meta | undefined;
    };

/** Holds what the user did with the question. */
export type ElicitResult = {
  readonly action: "accept" | "decline" | "cancel";
  readonly content?: Readonly<Record<string, string | number | boolean | string[]>> | undefined;
  readonly _meta?: Meta | undefined;
};

/** Names a folder that the server may work in. */
export type Root = {
  /** A `file://` URI. */
  readonly uri: string;
  readonly name?: string | undefined;
  readonly _meta?: Meta | undefined;
};

/** Says more of the client's features than that they are there. */
export interface ClientFeatures {
  /** `tools`: takes tools to offer to the model · `context`: takes `includeContext`. @default {} */
  readonly sampling?: { readonly tools?: object | undefined; readonly context?: object | undefined } | undefined;
  /** `form`, with `applyDefaults` if defaults of the form fill what an answer leaves out · `url`. @default `{ form: {} }` */
  readonly elicitation?:
    | {
        readonly form?: { readonly applyDefaults?: boolean | undefined } | undefined;
        readonly url?: object | undefined;
      }
    | undefined;
  /** @default {} */
  readonly roots?: { readonly listChanged?: boolean | undefined } | undefined;
}
