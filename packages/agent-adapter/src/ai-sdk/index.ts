export type { AiSdkModelOutput, AiSdkToolOutput, AiSdkVersion } from "./model-output.ts";
export { type AiSdkTool, type AiSdkToolsOptions, toAiSdkTools } from "./to-ai-sdk-tools.ts";
