import { fileURLToPath } from "node:url";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { context, metrics, propagation, SpanKind } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { expect, it, onTestFinished } from "vitest";
import { createMcpPool, type McpPoolConfig } from "../../src/index.ts";
import { otlpReceiver } from "./otlp-receiver.ts";

const LIMIT_MS = 60_000;

it("metrics reach a receiver of OTLP over HTTP, through the provider that a program has registered", {
  timeout: LIMIT_MS,
}, async () => {
  const receiver = await otlpReceiver();
  const exporter = new OTLPMetricExporter({ url: `${receiver.url}/v1/metrics` });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  onTestFinished(() => metrics.disable());
  const server = await startHttpTestServer();
  onTestFinished(() => server.close());
  const manager = await createMcpPool({ mcpServers: { web: { url: server.url.href } } }, { env: {} });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  for (let call = 0; call < 7; call++) {
    await manager.callTool("web", { name: "echo", arguments: { message: "hi" } });
  }
  await manager.close();
  await provider.shutdown();
  const received = (name: string) => receiver.metrics.filter((metric) => metric.name === name);
  const [operations] = received("mcp.client.operation.duration");
  expect(operations?.unit).toBe("s");
  expect(operations?.histogram?.dataPoints.map(({ count }) => Number(count))).toEqual([7]);
  expect(server.stats().requests["tools/call"]).toBe(7);
  const { opened } = server.stats().sessions;
  const [sessions] = received("mcp.client.session.duration");
  expect(sessions?.histogram?.dataPoints.map(({ count }) => Number(count))).toEqual([opened]);
  const [limit] = received("mcp_pool.connection.limit");
  expect(limit?.sum?.dataPoints.map((point) => Number(point.asInt ?? point.asDouble))).toEqual([0]);
});

it("a trace goes on inside a real server process", { timeout: LIMIT_MS }, async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  onTestFinished(() => {
    context.disable();
    propagation.disable();
  });
  const receiver = await otlpReceiver();
  const exporter = new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` });
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  onTestFinished(() => tracerProvider.shutdown());
  const program = fileURLToPath(new URL("../programs/traced-server.ts", import.meta.url));
  const config: McpPoolConfig = {
    mcpServers: {
      traced: { command: process.execPath, args: [program], env: { TRACES_URL: `${receiver.url}/v1/traces` } },
    },
    pool: { minConnections: 0 },
  };
  const manager = await createMcpPool(config, { env: {}, tracerProvider });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
  const answer = await tracerProvider.getTracer("app").startActiveSpan("handle order", async (span) => {
    const active = propagation.setBaggage(context.active(), baggage);
    const result = await context.with(active, () => manager.callTool("traced", { name: "place" }));
    span.end();
    return result;
  });
  expect(answer.content).toEqual([{ type: "text", text: "acme" }]);
  await manager.close();
  await tracerProvider.forceFlush();
  const named = (name: string) => receiver.spans.find((span) => span.name === name);
  const [outer, client, inner] = [named("handle order"), named("tools/call place"), named("handle place")];
  expect(client).toMatchObject({ traceId: outer?.traceId, parentSpanId: outer?.spanId, kind: SpanKind.CLIENT + 1 });
  expect(inner).toMatchObject({ traceId: outer?.traceId, parentSpanId: client?.spanId, kind: SpanKind.SERVER + 1 });
  const attributes = Object.fromEntries((client?.attributes ?? []).map(({ key, value }) => [key, value.stringValue]));
  expect(attributes).toMatchObject({
    "mcp.method.name": "tools/call",
    "gen_ai.tool.name": "place",
    "mcp.protocol.version": "2025-11-25",
    "network.transport": "pipe",
  });
});
