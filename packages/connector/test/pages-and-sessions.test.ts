import { McpConnectionPool, type PoolPlugin } from "@mcp-pool/core";
import { type HttpTestServer, startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector } from "../src/http/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { SLOW } from "./connecting.ts";

/** Has the server forget its sessions after the first page that it answers. */
function forgetful(server: HttpTestServer): PoolPlugin {
  let isDone = false;
  return {
    name: "forgetful",
    install: () => ({
      request: (next) => async (request) => {
        const result = await next(request);
        if (!isDone && request.method.endsWith("/list")) server.expireSessions();
        isDone ||= request.method.endsWith("/list");
        return result;
      },
    }),
  };
}

describe("a list whose session is renewed between two pages", SLOW, () => {
  test.each([
    ["1.x", undefined],
    ["2.x", sdkV2()],
  ])("is listed anew, with the %s SDK", async (_, sdk) => {
    const server = await startHttpTestServer({ pageSize: 2, sessionCursors: true });
    onTestFinished(() => server.close());
    const connector = httpConnector({ url: server.url, sdk });
    const options = { minConnections: 0, maxConnections: 1 };
    const other = new McpConnectionPool(connector, options);
    onTestFinished(() => other.close({ drainTimeoutMs: 0 }));
    const all = (await other.listTools()).tools.map(({ name }) => name);
    const pool = new McpConnectionPool(connector, options, [forgetful(server)]);
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    const renewals: unknown[] = [];
    pool.subscribe((event) => renewals.push(event), ["session-renewed"]);
    const { tools } = await pool.listTools();
    expect(tools.map(({ name }) => name)).toEqual(all);
    expect(all.length).toBeGreaterThan(4);
    expect(renewals).toHaveLength(1);
    expect(pool.stats().counters.created).toBe(1);
  });
});
