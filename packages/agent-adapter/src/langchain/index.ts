export { type LangChainToolsOptions, toLangChainTools } from "./to-lang-chain-tools.ts";
export { ToolException } from "./tool-exception.ts";
