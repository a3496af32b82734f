import { type PoolPlugin, RequestFailure } from "@mcp-pool/core";
import { judged, ok } from "@mcp-pool/core/testing";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type OtelMetricsOptions, otelMetrics } from "../src/index.ts";
import { measuredPool } from "./measured-pool.ts";

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
});

afterEach(() => {
  context.disable();
  propagation.disable();
  trace.disable();
});

/** Sends a request again once, as the retry plugin does. */
const retryOnce: PoolPlugin = {
  name: "retry-once",
  install: (pool) => ({
    request: (next) => (request) =>
      next(request).catch((error: unknown) => {
        const { connectionId, method } = request;
        const judgement = "not-sent";
        pool.emit({
          type: "request-retried",
          connectionId,
          method,
          target: "echo",
          attempt: 2,
          judgement,
          delayMs: 250,
          error,
        });
        return next(request);
      }),
  }),
};

function tracedPool(options: OtelMetricsOptions = {}, plugins: readonly PoolPlugin[] = []) {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  onTestFinished(() => provider.shutdown());
  const traced = otelMetrics({ tracerProvider: provider, ...options });
  return { ...measuredPool([traced, ...plugins]), exporter, tracer: provider.getTracer("test") };
}

const rpcError = Object.assign(new Error("Invalid params"), { code: -32602 });

describe("a span", () => {
  it("tells of a tool call, in the words of the conventions", async () => {
    const { pool, exporter } = tracedPool();
    await pool.request("tools/call", { name: "echo", arguments: { password: "s3cret" } });
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({
      name: "tools/call echo",
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "echo",
        "gen_ai.operation.name": "execute_tool",
        "mcp_pool.name": "default",
        "mcp_pool.server.name": "files",
      },
    });
    expect(JSON.stringify(span?.attributes), "arguments stay out").not.toMatch(/s3cret/);
  });

  it.each([
    ["prompts/get", { name: "greet" }, "prompts/get greet", { "gen_ai.prompt.name": "greet" }],
    ["resources/read", { uri: "file:///a" }, "resources/read", { "mcp.resource.uri": "file:///a" }],
    ["tools/list", undefined, "tools/list", {}],
  ])("of %s is named after what is bounded", async (method, params, name, attributes) => {
    const { pool, exporter } = tracedPool();
    await pool.request(method, params);
    expect(exporter.getFinishedSpans()).toMatchObject([{ name, attributes }]);
  });

  it.each([
    ["a JSON-RPC error", judged("answered", "no", { cause: rpcError }), "-32602", "Invalid params"],
    ["a tool's own failure", ok({ content: [], isError: true }), "tool_error", undefined],
    ["a lost answer", judged("outcome-unknown", "gone"), "outcome-unknown", expect.stringMatching(/may have run/)],
  ])("of %s is one of an error", async (_, step, type, message) => {
    const { pool, exporter, connector } = tracedPool();
    connector.onRequest.next(step);
    await pool.request("tools/call", { name: "echo" }).catch(() => {});
    const [span] = exporter.getFinishedSpans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
    expect(span?.attributes["error.type"]).toBe(type);
    expect(span?.attributes["rpc.response.status_code"]).toBe(type === "-32602" ? type : undefined);
  });

  it("of an aborted call does not tell the caller's reason", async () => {
    const { pool, exporter } = tracedPool();
    const controller = new AbortController();
    const call = pool.request("ping", {}, { signal: controller.signal });
    controller.abort(new Error("user 4711 left"));
    await expect(call).rejects.toThrow("4711");
    expect(exporter.getFinishedSpans()).toMatchObject([
      { attributes: { "error.type": "aborted" }, status: { code: SpanStatusCode.ERROR } },
    ]);
    expect(exporter.getFinishedSpans()[0]?.status.message).toBeUndefined();
  });

  it("covers all tries, which are its events; one that is overcome is no error", async () => {
    const { pool, exporter, connector, clock } = tracedPool({}, [retryOnce]);
    connector.onRequest.next(() => ({ kind: "fail", error: new RequestFailure("not-sent", "lost") }));
    const call = pool.request("tools/call", { name: "echo" });
    await clock.advance(10_000);
    await call;
    const spans = exporter.getFinishedSpans();
    expect(spans).toHaveLength(1);
    expect(spans[0]?.status.code).toBe(SpanStatusCode.UNSET);
    expect(spans[0]?.attributes).not.toHaveProperty("error.type");
    expect(spans[0]?.events).toMatchObject([
      {
        name: "mcp_pool.request.retried",
        attributes: {
          "mcp_pool.request.attempt": 2,
          "mcp_pool.request.delay": 0.25,
          "error.type": "not-sent",
        },
      },
    ]);
  });

  it("is there only on request, and then also from the global provider", async () => {
    const { pool, exporter, connector } = tracedPool({ spans: false });
    await pool.request("ping");
    expect(exporter.getFinishedSpans()).toEqual([]);
    expect(connector.requests[0]?.params, "without a context there is nothing to hand on").toBeUndefined();
    const global = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: global })] }),
    );
    await measuredPool([otelMetrics({ spans: true })]).pool.request("ping");
    expect(global.getFinishedSpans()).toMatchObject([{ name: "ping" }]);
  });
});

describe("the trace context", () => {
  it("goes to the server in a copy of _meta, with the span as the parent; the caller's object stays as it is", async () => {
    const { pool, exporter, connector, tracer } = tracedPool();
    const params = { name: "echo", _meta: { progressToken: 7 } };
    const baggage = propagation.createBaggage({ tenant: { value: "a" } });
    await tracer.startActiveSpan("outer", async (outer) => {
      const active = propagation.setBaggage(context.active(), baggage);
      await context.with(active, () => pool.request("tools/call", params));
      outer.end();
    });
    const [span, outer] = exporter.getFinishedSpans();
    const { traceId, spanId } = span?.spanContext() ?? { traceId: "", spanId: "" };
    expect(traceId).toBe(outer?.spanContext().traceId);
    expect(connector.requests[0]?.params).toEqual({
      name: "echo",
      _meta: { progressToken: 7, traceparent: `00-${traceId}-${spanId}-01`, baggage: "tenant=a" },
    });
    expect(params).toEqual({ name: "echo", _meta: { progressToken: 7 } });
  });

  it("is handed on without spans of ours too", async () => {
    const { pool, connector, tracer } = tracedPool({ spans: false });
    await tracer.startActiveSpan("outer", async (outer) => {
      await pool.request("ping");
      const { traceId, spanId } = outer.spanContext();
      expect(connector.requests[0]?.params).toEqual({ _meta: { traceparent: `00-${traceId}-${spanId}-01` } });
      outer.end();
    });
  });

  it("yields to what the caller has written, whose trace state is not mixed with another", async () => {
    const { pool, connector, tracer } = tracedPool();
    const own = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", baggage: "mine=1" };
    await tracer.startActiveSpan("outer", async (outer) => {
      await pool.request("ping", undefined, { meta: own });
      outer.end();
    });
    expect(connector.requests[0]?.params).toEqual({ _meta: own });
  });

  it("is left alone when switched off, and where no propagator is registered", async () => {
    const off = tracedPool({ propagation: false });
    await off.pool.request("ping");
    expect(off.connector.requests[0]?.params).toBeUndefined();
    propagation.disable();
    const none = tracedPool();
    await none.pool.request("ping");
    expect(none.connector.requests[0]?.params).toBeUndefined();
  });
});
