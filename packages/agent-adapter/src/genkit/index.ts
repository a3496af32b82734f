export { type GenkitLike, type GenkitToolsOptions, toGenkitTools } from "./to-genkit-tools.ts";
