/** A tool reported a failure, or could not be called; the same name and messages as in `@langchain/mcp-adapters`. */
export class ToolException extends Error {
  override readonly name: string = "ToolException";
}
