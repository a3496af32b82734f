/** Majors of the AI SDK; they differ in what an image is to a model. */
export type AiSdkVersion = 6 | 7;

interface TextPart {
  readonly type: "text";
  readonly text: string;
}

interface ImagePartOf6 {
  readonly type: "image-data";
  readonly mediaType: string;
  readonly data: string;
}

interface ImagePartOf7 {
  readonly type: "file";
  readonly mediaType: string;
  readonly data: { readonly type: "data"; readonly data: string };
}

type Part<Version extends AiSdkVersion> = TextPart | (Version extends 6 ? ImagePartOf6 : ImagePartOf7);

type Json = null | string | number | boolean | { [key: string]: Json | undefined } | Json[];

/** What a model is told of a tool's result. */
export type AiSdkModelOutput<Version extends AiSdkVersion> =
  | { type: "text"; value: string }
  | { type: "json"; value: Json }
  | { type: "content"; value: Part<Version>[] };

/** A tool's result, as the AI SDK hands it to `toModelOutput`; also one that was stored, so it may be anything. */
export interface AiSdkToolOutput {
  readonly output: unknown;
}

/** Says what a model is told of a result, as the AI SDK's own MCP client does. */
export function modelOutput<Version extends AiSdkVersion>(
  { output }: AiSdkToolOutput,
  version: Version,
): AiSdkModelOutput<Version> {
  if (typeof output === "string") return { type: "text", value: output };
  if (!hasContent(output)) return { type: "json", value: (output ?? null) as Json };
  return { type: "content", value: output.content.map((block) => part(block, version)) };
}

function part<Version extends AiSdkVersion>(block: Block, version: Version): Part<Version> {
  if (block.type === "text" && typeof block.text === "string") return { type: "text", text: block.text };
  const { type, data, mimeType } = block;
  if (type !== "image" || typeof data !== "string" || typeof mimeType !== "string") {
    return { type: "text", text: JSON.stringify(block) };
  }
  const image: ImagePartOf6 | ImagePartOf7 =
    version === 6
      ? { type: "image-data", mediaType: mimeType, data }
      : { type: "file", mediaType: mimeType, data: { type: "data", data } };
  return image as Part<Version>;
}

interface Block {
  readonly type?: unknown;
  readonly [key: string]: unknown;
}

function hasContent(output: unknown): output is { readonly content: readonly Block[] } {
  return typeof output === "object" && output !== null && "content" in output && Array.isArray(output.content);
}
