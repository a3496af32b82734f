import type { Connector, ConnectRequest, McpConnection, RequestFailure } from "@mcp-pool/core";
import { expect, onTestFinished } from "vitest";

/** For tests that start processes: the machine may be busy with many of them. */
export const SLOW = { timeout: 60_000 };

/** Asks until the answer is as expected; the machine may be busy. */
export function eventually<T>(ask: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(ask, { timeout: 20_000 });
}

/** A signal that never aborts; a fresh one per use, as the pool gives them. */
export function never(): AbortSignal {
  return new AbortController().signal;
}

/** What a pool would ask for. */
export function connectRequest(overrides: Partial<ConnectRequest> = {}): ConnectRequest {
  return { serverName: "test", identity: undefined, signal: never(), timeoutMs: 20_000, ...overrides };
}

/** Opens a connection that is closed with the test, whatever becomes of that. */
export async function open(connector: Connector, overrides: Partial<ConnectRequest> = {}): Promise<McpConnection> {
  const connection = await connector.connect(connectRequest(overrides));
  onTestFinished(() => connection.close("pool-closed"));
  return connection;
}

/** Calls a tool; rejects as `request` does. */
export function callTool(
  connection: McpConnection,
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  signal: AbortSignal = never(),
): Promise<unknown> {
  return connection.request("tools/call", { name, arguments: args }, { signal });
}

/** Calls a tool and returns its structured content. */
export async function callForJson(
  connection: McpConnection,
  name: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>> {
  const result = await callTool(connection, name, args);
  return (result as { structuredContent: Record<string, unknown> }).structuredContent;
}

/** Sends many requests, so many at a time. */
export async function callMany(connection: McpConnection, total: number, atATime = 50): Promise<void> {
  for (let sent = 0; sent < total; sent += atATime) {
    const batch = Array.from({ length: atATime }, () => connection.request("ping", undefined, { signal: never() }));
    await Promise.all(batch);
  }
}

/** Waits for a promise to reject, and returns what with. */
export async function failureOf(promise: Promise<unknown>): Promise<RequestFailure> {
  return promise.then(
    () => Promise.reject(new Error("expected a rejection")),
    (error: RequestFailure) => error,
  );
}

/** Resolves when the connection has ended by itself. */
export function closed(connection: McpConnection): Promise<Error | undefined> {
  return new Promise((resolve) => connection.onClosed(resolve));
}
