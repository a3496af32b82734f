import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { runClientProgram } from "../client-program.ts";
import { oauthV2 } from "../sdk-oauth-v2.ts";

// The SDK's own client, 2.x, as its users write it; it speaks the protocol up to 2025-11-25 unless it is told otherwise.
await runClientProgram(oauthV2, async ({ url, fetch, authProvider, elicited, isAble, isModern }) => {
  const client = new Client(
    { name: "conformance", version: "1.0.0" },
    {
      capabilities: {
        ...((elicited !== undefined || isAble) && { elicitation: { form: { applyDefaults: true } } }),
        ...(isAble && { sampling: {}, roots: {} }),
      },
      ...(isModern && { versionNegotiation: { mode: "auto" } }),
    },
  );
  if (elicited !== undefined || isAble) {
    client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: { ...elicited } }));
  }
  const options = { ...(fetch !== undefined && { fetch }), ...(authProvider !== undefined && { authProvider }) };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options));
  return client;
});
