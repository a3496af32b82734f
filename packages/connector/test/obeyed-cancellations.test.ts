import { type Connector, McpConnectionPool } from "@mcp-pool/core";
import { startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector, stdioConnector } from "../src/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { eventually, SLOW } from "./connecting.ts";

/** Servers that end what was cancelled, and say nothing more of it. */
const SERVERS: Readonly<Record<string, () => Promise<Connector> | Connector>> = {
  "stdio, with the 1.x SDK": () => stdioConnector(stdioTestServer()),
  "stdio, with the 2.x SDK": () => stdioConnector({ ...stdioTestServer(), sdk: sdkV2() }),
  HTTP: async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    return httpConnector({ url: server.url });
  },
};

describe.each(Object.entries(SERVERS))("a server over %s that obeys cancellations", SLOW, (_name, connect) => {
  test("serves others soon after many callers have given up at one time", async () => {
    // Without room within this time, the next call fails.
    const options = { minConnections: 0, maxConnections: 1, maxRequestsPerConnection: 4, acquireTimeoutMs: 15_000 };
    const pool = new McpConnectionPool(await connect(), options);
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    const suspicions: unknown[] = [];
    pool.subscribe((event) => suspicions.push(event), ["connection-suspected"]);
    await pool.client.callTool({ name: "echo", arguments: { message: "warm" } });
    const controller = new AbortController();
    const calls = Array.from({ length: 4 }, () =>
      pool.client.callTool({ name: "hang" }, { signal: controller.signal }).catch((error: unknown) => error),
    );
    await eventually(() => pool.stats().inFlight).toBe(4);
    controller.abort("enough");
    expect(await Promise.all(calls)).toEqual(["enough", "enough", "enough", "enough"]);
    const { content } = await pool.client.callTool({ name: "echo", arguments: { message: "next" } });
    expect(content).toMatchObject([{ text: "next" }]);
    await eventually(() => pool.stats().inFlight).toBe(0);
    expect(pool.stats().counters).toMatchObject({ created: 1, destroyed: 0 });
    expect(suspicions).toEqual([]);
  });
});
