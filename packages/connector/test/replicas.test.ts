import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { McpConnectionPool } from "@mcp-pool/core";
import { type HttpTestServer, startHttpTestServer } from "@mcp-pool/test-server";
import { expect, onTestFinished, test } from "vitest";
import { httpConnector } from "../src/http/index.ts";
import { SLOW } from "./connecting.ts";

async function replica(name: string): Promise<HttpTestServer> {
  const server = await startHttpTestServer({ name });
  onTestFinished(() => server.close());
  return server;
}

/** A load balancer that sends whoever comes without its cookie to the replicas in turn. */
async function balancer(replicas: readonly HttpTestServer[]): Promise<{ url: string; seen: number[] }> {
  const seen = replicas.map(() => 0);
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const wanted = /replica=(\d)/.exec(incoming.headers.cookie ?? "")?.[1];
    const index = wanted === undefined ? turn++ % replicas.length : Number(wanted);
    seen[index] = (seen[index] ?? 0) + 1;
    const { method, headers } = incoming;
    const forwarded = request(replicas[index]?.url ?? "", { method, headers }, (answer) => {
      const cookie = wanted === undefined ? { "set-cookie": `replica=${index}; Path=/; HttpOnly` } : {};
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...cookie });
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen };
}

test(
  "sessions hold behind a load balancer in front of several replicas that knows clients by a cookie",
  SLOW,
  async () => {
    const replicas = await Promise.all([replica("one"), replica("two")]);
    const { url, seen } = await balancer(replicas);
    await using pool = new McpConnectionPool(httpConnector({ url, transport: "streamable-http" }), {
      minConnections: 4,
      maxConnections: 4,
    });
    await pool.warmUp();
    const calls = Array.from({ length: 200 }, (_, index) =>
      pool.client.callTool({ name: "echo", arguments: { message: `${index}` } }),
    );
    const texts = (await Promise.all(calls)).map(
      ({ content: [first] }) => first !== undefined && "text" in first && first.text,
    );
    expect(texts).toEqual(calls.map((_, index) => `${index}`));
    expect(replicas.map((each) => each.stats().sessions.live)).toEqual([2, 2]);
    expect(pool.stats().counters).toMatchObject({ created: 4, destroyed: 0, requestErrors: 0 });
    for (const count of seen) expect(count).toBeGreaterThan(2);
  },
);
