import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { defaultTextMapGetter, propagation, ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

/** An MCP server that goes on with the trace of whoever calls it, and sends its spans to the address in TRACES_URL. */
const exporter = new OTLPTraceExporter({ url: process.env.TRACES_URL ?? "" });
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const tracer = provider.getTracer("traced-server");
const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

const server = new Server({ name: "traced", version: "1.0.0" }, { capabilities: { tools: {} } });
server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
  const parent = propagator.extract(ROOT_CONTEXT, params._meta ?? {}, defaultTextMapGetter);
  const tenant = propagation.getBaggage(parent)?.getEntry("tenant")?.value ?? "none";
  const span = tracer.startSpan(`handle ${params.name}`, { kind: SpanKind.SERVER, attributes: { tenant } }, parent);
  span.end();
  await provider.forceFlush();
  return { content: [{ type: "text", text: tenant }] };
});
await server.connect(new StdioServerTransport());
