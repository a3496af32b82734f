import { type ChildProcess, spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CallToolResult, McpPoolConfig } from "../src/index.ts";
import { eventually, expectGone, ledgeredServer, managerOf, temporaryFolder } from "./real-servers.ts";

const PROGRAM = fileURLToPath(new URL("programs/uses-the-pool.ts", import.meta.url));
/** How long a program may take that ends by itself. */
const DEADLINE_MS = 60_000;

function pidOf({ structuredContent }: CallToolResult): number {
  return Number(structuredContent?.pid);
}

describe("after close", { timeout: 60_000 }, () => {
  it("no child process is left, nor a grandchild", async () => {
    const server = ledgeredServer();
    const manager = await managerOf({
      mcpServers: { a: server.config },
      pool: { minConnections: 0, maxConnections: 3, sharing: "exclusive" },
    });
    const children = await Promise.all(
      [{}, { stubborn: true }, { stubborn: true, holdStdio: true }].map(async (args) =>
        pidOf(await manager.callTool("a", { name: "spawn-child", arguments: args })),
      ),
    );
    expect(children.every((pid) => pid > 0)).toBe(true);
    expect(server.processes().length).toBeGreaterThan(0);
    await manager.close();
    expectGone([...server.processes(), ...children]);
  });

  it("no child process is left whose server is busy, stubborn or in the middle of a call", async () => {
    const stubborn = ledgeredServer({ TEST_SERVER_STUBBORN: "1" });
    const busy = ledgeredServer();
    const manager = await managerOf({
      mcpServers: { stubborn: stubborn.config, busy: busy.config },
      pool: { minConnections: 0 },
    });
    await manager.callTool("stubborn", { name: "echo", arguments: { message: "hi" } });
    const calls = [
      manager.callTool("stubborn", { name: "hang" }),
      manager.callTool("busy", { name: "busy", arguments: { ms: 20_000 } }),
    ].map((call) => call.catch((error: { code: string }) => error.code));
    expect(await eventually(() => manager.pool("busy").stats().inFlight === 1)).toBe(true);
    await manager.close({ drainTimeoutMs: 0 });
    expectGone([...stubborn.processes(), ...busy.processes()]);
    expect(await Promise.all(calls)).toEqual(["OUTCOME_UNKNOWN", "OUTCOME_UNKNOWN"]);
  });

  it("no socket is left, of either transport", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const manager = await managerOf({
      mcpServers: { http: { url: server.url.href }, sse: { type: "sse", url: server.sseUrl.href } },
      pool: { minConnections: 2 },
    });
    for (const name of manager.servers()) {
      await Promise.all([1, 2, 3].map(() => manager.callTool(name, { name: "sleep", arguments: { ms: 20 } })));
    }
    expect(server.stats().sockets.open).toBeGreaterThan(0);
    await manager.close();
    expect(await eventually(() => server.stats().sockets.open === 0), "no socket is left").toBe(true);
    expect(server.stats().sessions.live, "every session was ended").toBe(0);
  });

  it("no listener is left on a caller's signal, nor before", async () => {
    const server = ledgeredServer();
    const manager = await managerOf({ mcpServers: { a: server.config }, pool: { minConnections: 0 } });
    const { signal } = new AbortController();
    const echo = { name: "echo", arguments: { message: "hi" } };
    await Promise.all(Array.from({ length: 50 }, () => manager.callTool("a", echo, { signal })));
    expect(getEventListeners(signal, "abort")).toEqual([]);
    const lease = await manager.acquire("a", { signal });
    const hanging = lease.client.callTool({ name: "hang" }, { signal }).catch((error: { code: string }) => error.code);
    // What is closed in the tick of the call is not sent at all.
    await new Promise(setImmediate);
    await manager.close({ drainTimeoutMs: 0 });
    expect(await hanging).toBe("OUTCOME_UNKNOWN");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

/** What the program told of itself. */
interface Report {
  readonly state: "hanging" | "closed";
  readonly outcomes?: readonly string[];
  readonly left?: readonly string[];
}

describe("a program that uses the pool", { timeout: DEADLINE_MS + 30_000 }, () => {
  function start(config: McpPoolConfig, work: string): { child: ChildProcess; report(): Report | undefined } {
    const reportPath = join(temporaryFolder(), "report.json");
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ config, work, reportPath })], { stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    return { child, report: () => (existsSync(reportPath) ? JSON.parse(readFileSync(reportPath, "utf8")) : undefined) };
  }

  /** Waits for the end of a program; one that does not end is killed, and so ends by a signal. */
  async function endOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
    const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
    const [code, signal] = await once(child, "exit");
    clearTimeout(timer);
    return { code, signal };
  }

  it("exits by itself after close, and has nothing left", async () => {
    const server = ledgeredServer();
    const http = await startHttpTestServer();
    onTestFinished(() => http.close());
    const mcpServers = {
      stdio: server.config,
      http: { url: http.url.href },
      sse: { type: "sse" as const, url: http.sseUrl.href },
    };
    const { child, report } = start({ mcpServers }, "calls");
    expect(await endOf(child)).toEqual({ code: 0, signal: null });
    expect(report()).toEqual({
      state: "closed",
      outcomes: ["ok", "TimeoutError", "ok", "TimeoutError", "ok", "TimeoutError"],
      left: [],
    });
    expectGone(server.processes());
  });

  it("exits by itself after a server was killed in the middle of a call", async () => {
    const server = ledgeredServer();
    const { child, report } = start({ mcpServers: { a: server.config }, pool: { minConnections: 0 } }, "crash");
    expect(await endOf(child)).toEqual({ code: 0, signal: null });
    expect(report()).toEqual({ state: "closed", outcomes: ["OUTCOME_UNKNOWN", "ok"], left: [] });
    expect(server.processes()).toHaveLength(2);
    expectGone(server.processes());
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("takes its servers with it when it ends by %s in a call", async (signal) => {
    const server = ledgeredServer();
    const { child, report } = start({ mcpServers: { a: server.config }, pool: { minConnections: 0 } }, "hang");
    expect(await eventually(() => report()?.state === "hanging", DEADLINE_MS)).toBe(true);
    expect(await eventually(() => server.processes().length === 1, DEADLINE_MS)).toBe(true);
    child.kill(signal);
    expect((await endOf(child)).signal).toBe(signal);
    await eventually(() => {
      try {
        expectGone(server.processes());
        return true;
      } catch {
        return false;
      }
    });
    expectGone(server.processes());
  });
});
