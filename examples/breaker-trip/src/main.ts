import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { CircuitBreakerOpenError, createMcpPool, type McpPoolError } from "mcp-pool";

/** A real server over HTTP fails, the circuit opens, the server gets well, and a background probe closes the circuit. */
const server = await startHttpTestServer();
const manager = await createMcpPool({
  mcpServers: { orders: { url: server.url.href } },
  pool: {
    minConnections: 0,
    circuitBreaker: { failureThreshold: 3, recoveryTimeoutMs: 1_000 },
    healthCheck: { intervalMs: 1_000 },
  },
});

const states: string[] = [];
manager.subscribe((event) => {
  if (event.type !== "circuit-state-changed") return;
  states.push(event.to);
  console.log(`  circuit: ${event.from} → ${event.to}`);
});

async function order(): Promise<string> {
  try {
    await manager.callTool("orders", { name: "count", arguments: { key: "order" } });
    return "answered";
  } catch (error) {
    return (error as McpPoolError).code;
  }
}

try {
  console.log(`The server works: ${await order()}`);
  assert.equal(manager.circuitBreaker("orders").state, "closed");

  server.failNext({ status: 500, count: 1_000, method: "tools/call" });
  console.log("The server answers every call with 500:");
  for (let call = 1; call <= 3; call++) console.log(`  call ${call}: ${await order()}`);
  assert.equal(manager.circuitBreaker("orders").state, "open");

  const before = server.stats().requests["tools/call"] ?? 0;
  const refused = await manager
    .callTool("orders", { name: "count", arguments: { key: "order" } })
    .catch((error) => error);
  assert.ok(refused instanceof CircuitBreakerOpenError);
  assert.ok((refused.retryAfterMs ?? 0) > 0);
  assert.equal(server.stats().requests["tools/call"], before, "a refused call never reaches the server");
  console.log(
    `  call 4: ${refused.code}, without asking the server; again in ${Math.ceil(refused.retryAfterMs ?? 0)} ms`,
  );

  server.clearFaults();
  console.log("The server is well again; nobody calls it:");
  for (let waited = 0; manager.circuitBreaker("orders").state !== "closed" && waited < 30_000; waited += 50)
    await delay(50);
  assert.deepEqual(states, ["open", "half-open", "closed"]);
  assert.equal(server.stats().requests["tools/call"], before, "the probes spent no call");

  assert.equal(await order(), "answered");
  assert.equal(server.stats().executions.order?.started, 2, "nothing ran twice");
  console.log("Calls are answered again. Open → half-open → closed, as it should be.");
} finally {
  await manager.close();
  await server.close();
}
