export { type AnthropicToolsOptions, toAnthropicTools } from "./to-anthropic-tools.ts";
