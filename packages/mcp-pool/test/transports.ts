import { startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { onTestFinished } from "vitest";
import type { McpServerConfig } from "../src/index.ts";

/** The test server over each transport; each call starts a server that ends with the test. */
export const TRANSPORTS: Readonly<Record<string, () => Promise<McpServerConfig>>> = {
  stdio: async () => stdioTestServer(),
  "Streamable HTTP": async () => ({ type: "http", url: (await startServer()).url.href }),
  "HTTP+SSE": async () => ({ type: "sse", url: (await startServer()).sseUrl.href }),
};

async function startServer() {
  const server = await startHttpTestServer();
  onTestFinished(() => server.close());
  return server;
}
