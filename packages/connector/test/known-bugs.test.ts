import { McpConnectionPool } from "@mcp-pool/core";
import { isProcessRunning, startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector, stdioConnector } from "../src/index.ts";
import { callTool, eventually, open, SLOW } from "./connecting.ts";

/** Bugs of other MCP clients; the numbers are those of docs/known-bugs-of-pools.md. */
describe("real connections, where other clients went wrong", SLOW, () => {
  test("38: a changed configuration ends the old stdio server, and a call under way on it still ends (claude-code #79740)", async () => {
    const pool = new McpConnectionPool(stdioConnector(stdioTestServer()), { minConnections: 0 });
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    const slow = pool.client.callTool({ name: "sleep", arguments: { ms: 300 } });
    const before = await processOf(pool);
    pool.reconfigure({ minConnections: 0 }, stdioConnector(stdioTestServer({ TEST_SERVER_VERSION: "2.0.0" })));
    const after = await processOf(pool);
    expect(after).not.toBe(before);
    await slow;
    await eventually(() => isProcessRunning(before)).toBe(false);
    expect(isProcessRunning(after)).toBe(true);
  });

  test("39: requests written at one time, each larger than a pipe holds, do not mix (csharp-sdk #88)", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const messages = Array.from({ length: 40 }, (_, index) => String.fromCodePoint(97 + (index % 26)).repeat(200_000));
    const results = await Promise.all(messages.map((message) => callTool(connection, "echo", { message })));
    expect(results).toEqual(messages.map((text) => ({ content: [{ type: "text", text }] })));
  });

  test("40: a session is initialised once, not once for each call (kaos #74, llm-tools-mcp #6)", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const pool = new McpConnectionPool(httpConnector({ url: server.url.href }), { minConnections: 0 });
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    for (let call = 0; call < 30; call++) await pool.client.callTool({ name: "echo", arguments: { message: "hi" } });
    await Promise.all(
      Array.from({ length: 30 }, () => pool.client.callTool({ name: "echo", arguments: { message: "hi" } })),
    );
    const { requests, sessions } = server.stats();
    expect(requests.initialize).toBe(1);
    expect(requests["tools/call"]).toBe(60);
    expect(sessions.opened).toBe(1);
  });
});

async function processOf(pool: McpConnectionPool): Promise<number> {
  const { structuredContent } = await pool.client.callTool({ name: "session-info" });
  return Number(structuredContent?.pid);
}
