import assert from "node:assert/strict";
import { createServer } from "node:http";
import { stdioTestServer } from "@mcp-pool/test-server";
import { createMcpPool } from "mcp-pool";

/** A program without OpenTelemetry serves the pool's metrics at /metrics, and is scraped. */
const manager = await createMcpPool({ mcpServers: { files: stdioTestServer({}) } });

const server = createServer(async (request, response) => {
  if (request.url !== "/metrics") {
    response.writeHead(404).end();
    return;
  }
  try {
    const text = await manager.metrics.exportMetrics("prometheus");
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(text);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
await new Promise<void>((resolve) => server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", resolve));
const address = server.address();
assert.ok(typeof address === "object" && address !== null);
const url = `http://127.0.0.1:${address.port}/metrics`;
console.log(`Scrape ${url}`);

/** Reads one series off a scrape. */
async function scrape(name: string, labels: string): Promise<number> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  const lines = (await response.text()).split("\n");
  const line = lines.find((each) => each.startsWith(`${name}{`) && each.includes(labels));
  return Number(line?.split(" ").at(-1) ?? 0);
}

try {
  for (let call = 0; call < 5; call++) await manager.callTool("files", { name: "echo", arguments: { message: "hi" } });
  await manager.callTool("files", { name: "fail" });
  const echoes = await scrape("mcp_client_operation_duration_count", 'gen_ai_tool_name="echo"');
  const failures = await scrape("mcp_client_operation_duration_count", 'error_type="tool_error"');
  const limit = await scrape("mcp_pool_connection_limit", 'mcp_pool_server_name="files"');
  console.log(`Echoes: ${echoes}, failed tools: ${failures}, most connections: ${limit}`);
  assert.deepEqual([echoes, failures, limit], [5, 1, 10]);

  await manager.close();
  assert.equal(await scrape("mcp_pool_connection_limit", 'mcp_pool_server_name="files"'), 0, "a closed pool is empty");
  assert.equal(await scrape("mcp_client_operation_duration_count", 'gen_ai_tool_name="echo"'), 5, "counts stay");
  console.log("The scrapes show what was called, and an empty pool after the close.");
} finally {
  await manager.close();
  server.closeAllConnections();
  server.close();
}
