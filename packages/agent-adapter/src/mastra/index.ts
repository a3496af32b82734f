export { type MastraToolsOptions, toMastraTools } from "./to-mastra-tools.ts";
