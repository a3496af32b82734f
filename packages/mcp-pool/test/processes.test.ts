import { describe, expect, it } from "vitest";
import { expectGone, ledgeredServer, managerOf } from "./real-servers.ts";

const CALLS = 64;
const SLEEP = { name: "sleep", arguments: { ms: 100 } };
/** What the calls would take one after the other: a bound that no busy machine makes false. */
const SERIAL_MS = CALLS * 100;

/** Runs many calls at one time and returns how long they took. */
async function timed(count: number, call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: count }, call));
  return performance.now() - startedAt;
}

describe("processes of stdio servers", { timeout: 120_000 }, () => {
  it("64 concurrent calls share one process", async () => {
    const server = ledgeredServer();
    const manager = await managerOf({ mcpServers: { a: server.config }, pool: { minConnections: 0 } });
    const coldMs = await timed(CALLS, () => manager.callTool("a", SLEEP));
    const warmMs = await timed(CALLS, () => manager.callTool("a", SLEEP));
    expect(server.processes()).toHaveLength(1);
    expect(warmMs).toBeLessThan(SERIAL_MS);
    console.info(`64 calls of 100 ms, shared: ${Math.round(coldMs)} ms cold, ${Math.round(warmMs)} ms warm, 1 process`);
    await manager.close();
    expectGone(server.processes());
  });

  it("64 concurrent calls on an exclusive server with 8 connections use exactly 8", async () => {
    const server = ledgeredServer();
    const pool = { minConnections: 0, maxConnections: 8, sharing: "exclusive" as const };
    const manager = await managerOf({ mcpServers: { a: server.config }, pool });
    const coldMs = await timed(CALLS, () => manager.callTool("a", SLEEP));
    const warmMs = await timed(CALLS, () => manager.callTool("a", SLEEP));
    expect(server.processes()).toHaveLength(8);
    expect(warmMs).toBeLessThan(SERIAL_MS);
    console.info(
      `64 calls of 100 ms, exclusive: ${Math.round(coldMs)} ms cold, ${Math.round(warmMs)} ms warm, 8 processes`,
    );
    await manager.close();
    expectGone(server.processes());
  });

  it("100 callers of a cold pool with room for 16 on each connection open at most 7", async () => {
    const server = ledgeredServer();
    const pool = { minConnections: 0, maxConnections: 20, maxRequestsPerConnection: 16 };
    const manager = await managerOf({ mcpServers: { a: server.config }, pool });
    const tookMs = await timed(100, () => manager.callTool("a", SLEEP));
    const count = server.processes().length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(7);
    console.info(`100 callers, 16 a connection: ${count} processes, ${Math.round(tookMs)} ms`);
  });

  it("answers go to those who asked, over all connections", async () => {
    const server = ledgeredServer();
    const pool = { minConnections: 0, maxConnections: 3, maxRequestsPerConnection: 8 };
    const manager = await managerOf({ mcpServers: { a: server.config }, pool });
    const messages = Array.from({ length: 200 }, (_, index) => `message ${index}`);
    const answers = await Promise.all(
      messages.map((message) => manager.callTool("a", { name: "echo", arguments: { message } })),
    );
    expect(answers.map(({ content }) => content[0])).toMatchObject(messages.map((text) => ({ text })));
    expect(server.processes().length).toBeLessThanOrEqual(3);
  });
});
