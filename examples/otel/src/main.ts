import assert from "node:assert/strict";
import { stdioTestServer } from "@mcp-pool/test-server";
import { trace } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { createMcpPool } from "mcp-pool";
import { startReceiver } from "./receiver.ts";

/** An application as it is: it has its own SDK, which sends metrics and traces to a Collector. */
const receiver = await startReceiver();
const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter({ url: `${receiver.url}/v1/metrics` }),
});
const sdk = new NodeSDK({
  serviceName: "orders",
  metricReaders: [reader],
  traceExporter: new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` }),
});
sdk.start();

// The two lines: the pool finds the global meter provider by itself, and gives each request a span if it has a tracer provider.
const mcpServers = { files: stdioTestServer({}) };
const manager = await createMcpPool({ mcpServers }, { tracerProvider: trace.getTracerProvider() });

let traceId = "";
try {
  await trace.getTracer("orders").startActiveSpan("place order", async (span) => {
    traceId = span.spanContext().traceId;
    for (const message of ["one", "two", "three"]) {
      await manager.callTool("files", { name: "echo", arguments: { message } });
    }
    const info = await manager.callTool("files", { name: "session-info" });
    assert.match(JSON.stringify(info), new RegExp(traceId), "the server was told of the trace");
    span.end();
  });
} finally {
  await manager.close();
  await sdk.shutdown();
  await receiver.close();
}

const calls = receiver.spans.filter(({ name }) => name.startsWith("tools/call"));
console.log(`Spans of calls: ${calls.map(({ name }) => name).join(", ")}`);
console.log(`Metrics: ${[...receiver.metrics].sort().join(", ")}`);
assert.deepEqual(
  calls.map(({ name }) => name),
  ["tools/call echo", "tools/call echo", "tools/call echo", "tools/call session-info"],
);
assert.ok(
  calls.every((span) => span.traceId === traceId),
  "all calls belong to the order's trace",
);
for (const name of ["mcp.client.operation.duration", "mcp_pool.connection.count", "mcp_pool.connection.wait_time"]) {
  assert.ok(receiver.metrics.has(name), `${name} was sent`);
}
console.log("The pool's metrics and spans are in the application's own telemetry.");
