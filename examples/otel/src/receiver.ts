import { createServer } from "node:http";

/** What has arrived: names of metrics and of spans, each as often as it was sent. */
export interface Receiver {
  readonly url: string;
  readonly metrics: ReadonlySet<string>;
  readonly spans: readonly { readonly name: string; readonly traceId: string }[];
  close(): Promise<void>;
}

/** Stands in for a Collector: takes what is sent by OTLP over HTTP, as JSON. */
export async function startReceiver(): Promise<Receiver> {
  const metrics = new Set<string>();
  const spans: { name: string; traceId: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      for (const [, name] of body.matchAll(/"name":"((?:mcp|mcp_pool)\.[a-z_.]+)"/g))
        if (name !== undefined) metrics.add(name);
      const { resourceSpans = [] } = JSON.parse(body) as {
        resourceSpans?: readonly { scopeSpans: readonly { spans: typeof spans }[] }[];
      };
      for (const { scopeSpans } of resourceSpans) for (const { spans: own } of scopeSpans) spans.push(...own);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, metrics, spans, close };
}
