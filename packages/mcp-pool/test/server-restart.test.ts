import { type HttpTestServer, startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import type { McpPoolManager } from "../src/index.ts";
import { eventually, managerOf } from "./real-servers.ts";

const CALLERS = 50;
const CONNECTIONS = 3;
/** Room for all callers, and no more than the connections together have. */
const ROOM = 17;

async function startServer(port = 0): Promise<HttpTestServer> {
  const server = await startHttpTestServer({ port });
  onTestFinished(() => server.close());
  return server;
}

async function pooled(server: HttpTestServer): Promise<McpPoolManager> {
  const manager = await managerOf({
    mcpServers: { web: { type: "http", url: server.url.href } },
    pool: { minConnections: CONNECTIONS, maxConnections: CONNECTIONS, maxRequestsPerConnection: ROOM },
  });
  await manager.warmUp();
  return manager;
}

/** Calls without a pause, so many at one time, until told to stop. */
function underLoad(manager: McpPoolManager): { stop(): Promise<{ calls: number; failures: unknown[] }> } {
  let isOver = false;
  let calls = 0;
  const failures: unknown[] = [];
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let turn = 0; !isOver; turn++) {
      const text = `${caller}/${turn}`;
      try {
        const params = { name: "echo", arguments: { message: text } };
        expect(await manager.callTool("web", params, { idempotent: true })).toMatchObject({ content: [{ text }] });
        calls++;
      } catch (error) {
        failures.push(error);
      }
    }
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(callers);
      return { calls, failures };
    },
  };
}

function initializes(server: HttpTestServer): number {
  return server.stats().requests.initialize ?? 0;
}

describe("under 50 concurrent calls", { timeout: 60_000 }, () => {
  test("a server that forgets its sessions costs no call, and one new session for each connection", async () => {
    const server = await startServer();
    const manager = await pooled(server);
    expect(initializes(server)).toBe(CONNECTIONS);
    const load = underLoad(manager);
    expect(await eventually(() => (server.stats().requests["tools/call"] ?? 0) > 500)).toBe(true);
    server.expireSessions();
    const callsBefore = server.stats().requests["tools/call"] ?? 0;
    expect(await eventually(() => (server.stats().requests["tools/call"] ?? 0) > callsBefore + 500)).toBe(true);
    const { calls, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(900);
    expect(initializes(server)).toBe(2 * CONNECTIONS);
    expect(manager.getPoolMetrics("web").lifecycle).toMatchObject({ created: CONNECTIONS, destroyed: 0 });
  });

  test("a restart of the server costs none that may be repeated, and one new session for each connection", async () => {
    const server = await startServer();
    const manager = await pooled(server);
    const load = underLoad(manager);
    expect(await eventually(() => (server.stats().requests["tools/call"] ?? 0) > 500)).toBe(true);
    await server.close();
    const restarted = await startServer(server.port);
    expect(await eventually(() => (restarted.stats().requests["tools/call"] ?? 0) > 500)).toBe(true);
    const { failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(initializes(restarted)).toBeLessThanOrEqual(CONNECTIONS);
  });
});
