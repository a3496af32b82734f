import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { McpPoolConfig, McpPoolManager, McpServerConfig } from "../src/index.ts";
import {
  causesOf,
  closedPort,
  eventually,
  expectGone,
  failureOf,
  ledgeredServer,
  managerOf,
  silentPort,
} from "./real-servers.ts";

const CALL = { name: "echo", arguments: { message: "hi" } };
const LIMIT_MS = 1_500;
/** What anything here may take on a busy machine, beyond its own limit. */
const SLACK_MS = 15_000;

function managerWith(server: McpServerConfig, pool: McpPoolConfig["pool"] = {}): Promise<McpPoolManager> {
  return managerOf({
    mcpServers: { a: server },
    pool: { minConnections: 0, connectionTimeoutMs: LIMIT_MS, requestTimeoutMs: 20_000, ...pool },
  });
}

describe("a server that cannot be had", { timeout: 60_000 }, () => {
  it("is an unknown name", async () => {
    const manager = await managerWith({ command: "true" });
    await expect(manager.callTool("b", CALL)).rejects.toMatchObject({ code: "SERVER_NOT_FOUND", knownServers: ["a"] });
  });

  it("is a command that does not exist", async () => {
    const manager = await managerWith({ command: "mcp-pool-no-such-command" });
    const { error, tookMs } = await failureOf(manager.callTool("a", CALL));
    expect(error).toMatchObject({ name: "McpConnectionError", code: "CONNECTION_FAILED", serverName: "a" });
    expect(causesOf(error)).toContain("ENOENT");
    expect(tookMs).toBeLessThan(SLACK_MS);
    expect(manager.stats().totalConnections).toBe(0);
  });

  it("is a process that exits at once", async () => {
    const server = ledgeredServer({ TEST_SERVER_EXIT_ON_START: "3" });
    const manager = await managerWith(server.config);
    const { error, tookMs } = await failureOf(manager.callTool("a", CALL));
    expect(error).toMatchObject({ name: "McpConnectionError", code: "CONNECTION_FAILED", serverName: "a" });
    expect(error.cause).toBeInstanceOf(Error);
    expect(causesOf(error)).toMatch(/exit(ed)?.* 3\b/);
    expect(tookMs).toBeLessThan(SLACK_MS);
    await manager.close();
    expect(manager.stats().totalConnections).toBe(0);
    expectGone(server.processes());
  });

  it("is a process that writes garbage to stdout and nothing else", async () => {
    const server = ledgeredServer({ TEST_SERVER_GARBAGE: "only" });
    const manager = await managerWith(server.config);
    const { error, tookMs } = await failureOf(manager.callTool("a", CALL));
    expect(["CONNECTION_FAILED", "TIMEOUT"]).toContain(error.code);
    expect(error.serverName).toBe("a");
    expect(tookMs).toBeLessThan(LIMIT_MS + SLACK_MS);
    await manager.close();
    expectGone(server.processes());
  });

  it("is a process that never answers initialize", async () => {
    const server = ledgeredServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1" });
    const manager = await managerWith(server.config);
    const { error, tookMs } = await failureOf(manager.callTool("a", CALL));
    expect(error).toMatchObject({ name: "McpTimeoutError", code: "TIMEOUT", phase: "connect", outcome: "not-sent" });
    expect(tookMs).toBeGreaterThan(LIMIT_MS * 0.9);
    expect(tookMs).toBeLessThan(LIMIT_MS + SLACK_MS);
    await manager.close();
    expect(server.processes().length).toBeGreaterThan(0);
    expectGone(server.processes());
  });

  it("is a URL that refuses", async () => {
    const manager = await managerWith({ url: await closedPort() });
    const { error, tookMs } = await failureOf(manager.callTool("a", CALL));
    expect(error).toMatchObject({ name: "McpConnectionError", code: "CONNECTION_FAILED", serverName: "a" });
    expect(causesOf(error)).toContain("ECONNREFUSED");
    expect(tookMs).toBeLessThan(SLACK_MS);
  });

  it("is a URL that never answers", async () => {
    const { url, sockets } = await silentPort();
    const manager = await managerWith({ url });
    const { error, tookMs } = await failureOf(manager.callTool("a", CALL));
    expect(error).toMatchObject({ name: "McpTimeoutError", code: "TIMEOUT", phase: "connect", outcome: "not-sent" });
    expect(tookMs).toBeLessThan(LIMIT_MS + SLACK_MS);
    await manager.close();
    expect(await eventually(() => sockets.size === 0), "no socket is left").toBe(true);
  });

  it("hurts no caller of another one", async () => {
    const server = ledgeredServer();
    const manager = await managerOf({
      mcpServers: { bad: { command: "mcp-pool-no-such-command" }, good: server.config },
      pool: { minConnections: 0 },
    });
    const bad = failureOf(manager.callTool("bad", CALL));
    expect(await manager.callTool("good", CALL)).toMatchObject({ content: [{ text: "hi" }] });
    expect((await bad).error.code).toBe("CONNECTION_FAILED");
  });

  it("shows no secret in its error", async () => {
    const manager = await managerOf({
      mcpServers: {
        header: { url: await closedPort(), headers: { authorization: "Bearer s3cret" } },
        credentials: { url: (await closedPort()).replace("://", "://user:s3cret@") },
        query: { url: `${await closedPort()}?token=s3cret` },
        env: { command: "mcp-pool-no-such-command", env: { TOKEN: "s3cret" } },
      },
      pool: { minConnections: 0, connectionTimeoutMs: LIMIT_MS },
    });
    for (const name of manager.servers()) {
      const { error } = await failureOf(manager.callTool(name, CALL));
      expect(`${causesOf(error)} ${error.stack}`, name).not.toContain("s3cret");
    }
  });
});

describe("a caller that cannot be served", { timeout: 60_000 }, () => {
  it("is told the numbers when all room stays taken", async () => {
    const server = ledgeredServer();
    const manager = await managerWith(server.config, {
      sharing: "exclusive",
      maxConnections: 1,
      acquireTimeoutMs: 200,
      maxWaiting: 1,
    });
    const lease = await manager.acquire("a");
    const waiting = failureOf(manager.acquire("a"));
    const refused = await failureOf(manager.acquire("a"));
    const { error, tookMs } = await waiting;
    const counts = { total: 1, used: 1, idle: 0, waiting: 1, max: 1 };
    expect(error).toMatchObject({ name: "McpPoolExhaustedError", code: "POOL_EXHAUSTED", counts });
    expect(refused.error).toMatchObject({ name: "McpPoolExhaustedError", code: "POOL_EXHAUSTED", counts });
    expect(error.message).toContain("total 1 of 1, used 1, idle 0, waiting 1");
    expect(tookMs).toBeLessThan(200 + SLACK_MS);
    lease.release();
    expect(await manager.callTool("a", CALL)).toMatchObject({ content: [{ text: "hi" }] });
    expect(server.processes()).toHaveLength(1);
  });

  it("comes after close", async () => {
    const server = ledgeredServer();
    const manager = await managerWith(server.config);
    await manager.callTool("a", CALL);
    await manager.close();
    for (const call of [
      () => manager.callTool("a", CALL),
      () => manager.callTool("a", CALL, { identity: "new" }),
      () => manager.acquire("a"),
      () => manager.warmUp(),
    ]) {
      expect((await failureOf(call())).error).toMatchObject({ name: "McpPoolClosedError", code: "POOL_CLOSED" });
    }
    expect(server.processes()).toHaveLength(1);
    expectGone(server.processes());
  });

  it("gives up before the wait", async () => {
    const server = ledgeredServer();
    const manager = await managerWith(server.config);
    const reason = new Error("not today");
    const signal = AbortSignal.abort(reason);
    expect((await failureOf(manager.callTool("a", CALL, { signal }))).error).toBe(reason);
    expect((await failureOf(manager.acquire("a", { signal }))).error).toBe(reason);
    expect(server.processes()).toEqual([]);
  });

  it("gives up while a connection is being opened for it", async () => {
    const server = ledgeredServer({ TEST_SERVER_START_DELAY_MS: "60000" });
    const manager = await managerWith(server.config, { connectionTimeoutMs: 60_000 });
    const controller = new AbortController();
    const call = failureOf(manager.callTool("a", CALL, { signal: controller.signal }));
    expect(await eventually(() => server.processes().length === 1)).toBe(true);
    const reason = new Error("enough");
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    await manager.close();
    expectGone(server.processes());
  });

  it("gives up while all room is taken", async () => {
    const server = ledgeredServer();
    const manager = await managerWith(server.config, { sharing: "exclusive", maxConnections: 1 });
    const lease = await manager.acquire("a");
    const controller = new AbortController();
    const calls = [manager.acquire("a", controller), manager.callTool("a", CALL, controller)].map(failureOf);
    const reason = new Error("enough");
    controller.abort(reason);
    for (const { error } of await Promise.all(calls)) expect(error).toBe(reason);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect(manager.pool("a").stats()).toMatchObject({ waiting: 0, counters: { aborted: 2 } });
    lease.release();
    expect(await manager.callTool("a", CALL)).toMatchObject({ content: [{ text: "hi" }] });
  });

  it("gives up while its request is running", async () => {
    const server = ledgeredServer();
    const manager = await managerWith(server.config);
    const controller = new AbortController();
    const call = failureOf(manager.callTool("a", { name: "hang" }, controller));
    expect(await eventually(() => manager.pool("a").stats().inFlight === 1)).toBe(true);
    const reason = new Error("enough");
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect(await manager.callTool("a", CALL)).toMatchObject({ content: [{ text: "hi" }] });
    expect(server.processes()).toHaveLength(1);
    await manager.close({ drainTimeoutMs: 0 });
    expectGone(server.processes());
  });
});
