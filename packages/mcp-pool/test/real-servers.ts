import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isProcessRunning, readLedger, stdioTestServer } from "@mcp-pool/test-server";
import { expect, onTestFinished } from "vitest";
import {
  createMcpPool,
  type McpPoolConfig,
  type McpPoolError,
  type McpPoolManager,
  type StdioServerConfig,
} from "../src/index.ts";

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mcp-pool-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A scripted server over stdio that keeps a ledger of its processes. */
export interface LedgeredServer {
  readonly config: StdioServerConfig;
  /** Every process that was started. */
  processes(): readonly number[];
}

export function ledgeredServer(env: Readonly<Record<string, string>> = {}): LedgeredServer {
  const path = join(temporaryFolder(), "ledger");
  return {
    config: stdioTestServer({ ...env, TEST_SERVER_LEDGER: path }),
    processes: () => readLedger(path).processes,
  };
}

/** Makes a manager that is closed with the test, whatever becomes of that. */
export async function managerOf(config: McpPoolConfig): Promise<McpPoolManager> {
  const manager = await createMcpPool(config);
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

/** Returns the error that a promise rejects with, and how long that took. */
export async function failureOf(promise: Promise<unknown>): Promise<{ error: McpPoolError; tookMs: number }> {
  const startedAt = performance.now();
  const error: unknown = await promise.then(
    () => Promise.reject(new Error("expected a rejection")),
    (reason: unknown) => reason,
  );
  return { error: error as McpPoolError, tookMs: performance.now() - startedAt };
}

/** All system codes and messages of an error and its causes, outermost first. */
export function causesOf(error: unknown): string {
  const parts: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    parts.push(`${each.name} ${"code" in each ? String(each.code) : ""} ${each.message}`);
  }
  return parts.join(" < ");
}

export function expectGone(pids: readonly number[]): void {
  expect(pids.filter(isProcessRunning), "no process is left").toEqual([]);
}

/** A port that takes connections and never says a word. */
export async function silentPort(): Promise<{ url: string; sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.resume());
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}/mcp`, sockets };
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<string> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/mcp`;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Waits until something holds, for what the system does in its own time. */
export async function eventually(check: () => boolean, limitMs = 10_000): Promise<boolean> {
  const until = performance.now() + limitMs;
  while (!check() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  return check();
}
