import type { McpConnection } from "@mcp-pool/core";
import { createTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { inMemoryConnector } from "../src/in-memory/index.ts";
import { callTool, failureOf, open, SLOW } from "./connecting.ts";

/** Aborts a request that the server will never answer, since it obeys the cancellation. */
async function abandon(connection: McpConnection): Promise<{ readonly isOver: () => boolean }> {
  const controller = new AbortController();
  const call = failureOf(callTool(connection, "hang", {}, controller.signal));
  controller.abort();
  let isOver = false;
  const { lateAnswer } = await call;
  lateAnswer?.then(() => {
    isOver = true;
  });
  return { isOver: () => isOver };
}

describe("the late answer of an abandoned request", SLOW, () => {
  test("is waited for during one minute", async () => {
    const connection = await open(inMemoryConnector({ server: () => createTestServer() }));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { isOver } = await abandon(connection);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(isOver()).toBe(false);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(isOver()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is given up, oldest first, when too many are waited for", async () => {
    const connection = await open(inMemoryConnector({ server: () => createTestServer() }));
    const first = await abandon(connection);
    const second = await abandon(connection);
    for (let more = 0; more < 1_023; more += 1) await abandon(connection);
    await new Promise(setImmediate);
    expect([first.isOver(), second.isOver()]).toEqual([true, false]);
  });

  test("leaves no timer once the connection has closed", async () => {
    const connection = await open(inMemoryConnector({ server: () => createTestServer() }));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { isOver } = await abandon(connection);
    await connection.close("idle");
    expect(vi.getTimerCount()).toBe(0);
    await new Promise(setImmediate);
    expect(isOver()).toBe(true);
  });
});
