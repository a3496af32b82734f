import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { createMcpPool, createPooledMcpTools, type McpPoolManager, type PooledMcpTools } from "mcp-pool";
import { expect } from "vitest";
import { EVERYTHING } from "./everything.ts";

/** One reference server over HTTP for both sides of a comparison, and pooled tools of it under the server's own names. */
export interface Comparison {
  readonly url: URL;
  readonly manager: McpPoolManager;
  readonly tools: PooledMcpTools;
  close(): Promise<void>;
}

type Args = Readonly<Record<string, unknown>>;

const BYTES = "data:text/plain;base64,aGVsbG8=";

/** Every client refuses to call it, each in its own words. */
export const NEEDS_A_TASK = "simulate-research-query";

/** At least one call of each tool that the server offers to every client; the last ones fail. */
export const CALLS: readonly (readonly [tool: string, args: Args])[] = [
  ["echo", { message: "hi" }],
  ["get-annotated-message", { messageType: "error", includeImage: true }],
  ["get-annotated-message", { messageType: "success" }],
  ["get-env", {}],
  ["get-resource-links", { count: 2 }],
  ["get-resource-reference", { resourceType: "Text", resourceId: 1 }],
  ["get-resource-reference", { resourceType: "Blob", resourceId: 2 }],
  ["get-structured-content", { location: "Chicago" }],
  ["get-sum", { a: 2, b: 3 }],
  ["get-tiny-image", {}],
  ["gzip-file-as-resource", { name: "a.gz", data: BYTES, outputType: "resource" }],
  ["gzip-file-as-resource", { name: "b.gz", data: BYTES, outputType: "resourceLink" }],
  ["toggle-simulated-logging", {}],
  ["toggle-subscriber-updates", {}],
  ["trigger-long-running-operation", { duration: 0.1, steps: 2 }],
  [NEEDS_A_TASK, { topic: "pools" }],
  ["gzip-file-as-resource", { name: "c.gz", data: "data:nonsense", outputType: "resource" }],
  ["get-sum", { a: "two", b: 3 }],
  ["echo", {}],
];

/** Starts the server and a pool to it. */
export async function startComparison(): Promise<Comparison> {
  const { server, url } = await startServer();
  const manager = await createMcpPool({
    mcpServers: { everything: { url: url.href } },
    pool: { minConnections: 0, maxConnections: 1 },
    settings: { logLevel: "error" },
  });
  // All who list tools share what the server sent; frozen, it tells on whoever writes into it.
  deepFreeze(await manager.listTools("everything"));
  return {
    url,
    manager,
    tools: createPooledMcpTools("everything", { manager, prefix: false }),
    close: async () => {
      await manager.close({ drainTimeoutMs: 0 });
      const exited = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGKILL");
      await exited;
    },
  };
}

/** How a call ended, without what differs from one call to the next. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly message: string } };

/** Makes a call, and says how it ended. */
export async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    const value = await call();
    expect(value, "there is a tool, and it returns something").toBeDefined();
    return { value: steady(value) };
  } catch (error) {
    if (!(error instanceof Error) || error.name === "AssertionError") throw error;
    return { error: { name: error.name, message: steadyText(error.message) } };
  }
}

/** Expects that the pooled tools are those of `CALLS`, and that the other side has them too. */
export function expectAllTools(own: readonly string[], pooled: readonly string[]): void {
  expect([...pooled].sort()).toEqual([...new Set(CALLS.map(([tool]) => tool))].sort());
  expect(own).toEqual(expect.arrayContaining([...pooled]));
}

/**
 * Expects the same outcome; but where a client refuses a tool that needs a task before it asks, as the official SDK's does,
 * the pool brings the server's own refusal.
 */
export function expectSame(tool: string, actual: Outcome, expected: Outcome): void {
  if (tool === NEEDS_A_TASK) {
    expect(JSON.stringify(expected)).toMatch(/requires task-based execution/);
    expect(JSON.stringify(actual)).toMatch(/requires task augmentation/);
  } else expect(actual).toEqual(expected);
}

/** Keeps the data of a value, symbols left out; times, sessions and the like become the same each time. */
function steady(value: unknown): unknown {
  return JSON.parse(steadyText(JSON.stringify(value)));
}

function steadyText(text: string): string {
  return text
    .replaceAll(/[A-Za-z0-9+/]{40,}={0,2}/g, readable)
    .replaceAll(/\d{1,2}:\d{2}:\d{2}( [AP]M)?/g, "<time>")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>");
}

/** Freezes an object and all that is in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const each of Object.values(value)) deepFreeze(each);
  return Object.freeze(value);
}

/** The server also puts the time into what it sends as base64. */
function readable(base64: string): string {
  const text = Buffer.from(base64, "base64").toString();
  return text.includes("created at") ? text : base64;
}

async function startServer(): Promise<{ server: ChildProcess; url: URL }> {
  const port = await freePort();
  const [program = ""] = EVERYTHING.args;
  const env = { ...process.env, PORT: String(port) };
  const server = spawn(EVERYTHING.command, [program, "streamableHttp"], { env, stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: server.stderr }).on("line", (line) => {
      if (line.includes("listening on port")) resolve();
    });
  });
  return { server, url: new URL(`http://127.0.0.1:${port}/mcp`) };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
