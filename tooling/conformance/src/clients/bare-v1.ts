import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { runClientProgram } from "../client-program.ts";
import { oauthV1 } from "../sdk-oauth-v1.ts";

// The SDK's own client, 1.x, as its users write it.
await runClientProgram(oauthV1, async ({ url, fetch, authProvider, isElicited }) => {
  const capabilities = isElicited ? { elicitation: { form: { applyDefaults: true } } } : {};
  const client = new Client({ name: "conformance", version: "1.0.0" }, { capabilities });
  if (isElicited) client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: {} }));
  const options = { ...(fetch !== undefined && { fetch }), ...(authProvider !== undefined && { authProvider }) };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options));
  return {
    listTools: () => client.listTools(),
    callTool: (params) => client.callTool(params),
    close: () => client.close(),
  };
});
