import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { runClientProgram } from "../client-program.ts";
import { oauthV1 } from "../sdk-oauth-v1.ts";

// The SDK's own client, 1.x, as its users write it.
await runClientProgram(oauthV1, async ({ url, fetch, authProvider, elicited }) => {
  const capabilities = elicited === undefined ? {} : { elicitation: { form: { applyDefaults: true } } };
  const client = new Client({ name: "conformance", version: "1.0.0" }, { capabilities });
  if (elicited !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: { ...elicited } }));
  }
  const options = { ...(fetch !== undefined && { fetch }), ...(authProvider !== undefined && { authProvider }) };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options));
  return client;
});
