import type { MastraModelConfig } from "@mastra/core/llm";
import { model as model7 } from "../from-ai-sdk-mcp/model.ts";

/** The model of the AI SDK, which Mastra takes as it is, but types as one that streams whatever it is asked. */
export const model: MastraModelConfig = model7 as unknown as MastraModelConfig;
