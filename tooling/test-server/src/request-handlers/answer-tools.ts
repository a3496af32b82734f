import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { NamedValues } from "../named-values.ts";
import { page } from "../page.ts";
import { invalidParams } from "../rpc-error.ts";
import type { Session } from "../session.ts";

/** Answers `tools/list` and `tools/call`. */
export function answerTools(session: Session): void {
  const { server, backend } = session;
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const { items, next } = page(backend.tools, params?.cursor, session.pages);
    return { tools: items.map((tool) => tool.definition), ...next };
  });
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const tool = backend.tool(params.name);
    if (tool === undefined) throw invalidParams(`Unknown tool ${params.name}`);
    return tool.run({ given: new NamedValues(params.arguments), session, extra });
  });
}
