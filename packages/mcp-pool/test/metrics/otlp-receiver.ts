import { createServer } from "node:http";
import { onTestFinished } from "vitest";

/** A value as OTLP writes it in JSON. */
interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly OtlpAttribute[];
}

export interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly histogram?: { readonly dataPoints: readonly { readonly count: number | string }[] };
  readonly sum?: { readonly dataPoints: readonly { readonly asInt?: number | string; readonly asDouble?: number }[] };
}

/** Receives what is sent to it by OTLP over HTTP, as JSON. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly OtlpSpan[];
  readonly metrics: readonly OtlpMetric[];
}

/** Starts a receiver on the loopback; it ends with the test. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const spans: OtlpSpan[] = [];
  const metrics: OtlpMetric[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans?: readonly { scopeSpans: readonly { spans: readonly OtlpSpan[] }[] }[];
        resourceMetrics?: readonly { scopeMetrics: readonly { metrics: readonly OtlpMetric[] }[] }[];
      };
      for (const { scopeSpans } of body.resourceSpans ?? []) for (const each of scopeSpans) spans.push(...each.spans);
      for (const { scopeMetrics } of body.resourceMetrics ?? []) {
        for (const each of scopeMetrics) metrics.push(...each.metrics);
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, spans, metrics };
}
