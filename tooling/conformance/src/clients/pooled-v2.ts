import { httpConnector } from "@mcp-pool/connector/http";
import { sdkV2 } from "@mcp-pool/connector/v2";
import { createMcpPool } from "mcp-pool";
import { runClientProgram } from "../client-program.ts";
import { oauthV2 } from "../sdk-oauth-v2.ts";

// The pool on the 2.x SDK, with everything that a default install has; each call goes through the manager.
await runClientProgram(oauthV2, async ({ url, fetch, authProvider, isElicited }) => {
  const manager = await createMcpPool(
    // One connection: the suite's servers take whoever connects for one client, and mix up the streams of several.
    { mcpServers: { suite: { type: "http", url } }, pool: { maxConnections: 1 }, settings: { logLevel: "debug" } },
    {
      connector: () =>
        httpConnector({
          sdk: sdkV2(),
          url,
          fetch,
          authProvider,
          clientInfo: { name: "conformance", version: "1.0.0" },
        }),
      handlers: isElicited
        ? {
            elicitation: () => ({ action: "accept", content: {} }),
            features: { elicitation: { form: { applyDefaults: true } } },
          }
        : undefined,
    },
  );
  return {
    listTools: () => manager.listTools("suite"),
    callTool: (params) => manager.callTool("suite", params),
    close: () => manager.close(),
  };
});
