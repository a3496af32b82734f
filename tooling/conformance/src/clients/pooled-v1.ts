import { httpConnector } from "@mcp-pool/connector/http";
import { createMcpPool } from "mcp-pool";
import { runClientProgram } from "../client-program.ts";

// The pool with everything that a default install has; each call goes through the manager.
await runClientProgram(async ({ url, fetch, authProvider, isElicited }) => {
  const manager = await createMcpPool(
    { mcpServers: { suite: { type: "http", url } }, settings: { logLevel: "debug" } },
    {
      connector: () =>
        httpConnector({ url, fetch, authProvider, clientInfo: { name: "conformance", version: "1.0.0" } }),
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
