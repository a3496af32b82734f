export { model } from "../from-ai-sdk-mcp/model.ts";
