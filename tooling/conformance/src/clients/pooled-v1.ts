import { httpConnector } from "@mcp-pool/connector/http";
import { createMcpPool } from "mcp-pool";
import { runClientProgram } from "../client-program.ts";
import { handlersOf, throughManager } from "../pooled-client.ts";
import { oauthV1 } from "../sdk-oauth-v1.ts";

// The pool on the 1.x SDK, with everything that a default install has; each call goes through the manager.
await runClientProgram(oauthV1, async (setup) => {
  const { url, fetch, authProvider } = setup;
  const clientInfo = { name: "conformance", version: "1.0.0" };
  const manager = await createMcpPool(
    // One connection: the suite's servers take whoever connects for one client, and mix up the streams of several.
    { mcpServers: { suite: { type: "http", url } }, pool: { maxConnections: 1 }, settings: { logLevel: "debug" } },
    { connector: () => httpConnector({ url, fetch, authProvider, clientInfo }), handlers: handlersOf(setup) },
  );
  return throughManager(manager, "suite");
});
