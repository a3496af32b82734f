export { type OpenAiMcpServer, type OpenAiMcpServerOptions, toOpenAiMcpServer } from "./to-open-ai-mcp-server.ts";
