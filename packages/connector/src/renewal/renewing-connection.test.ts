import { type ConnectionRequestOptions, type McpConnection, RequestFailure } from "@mcp-pool/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { RenewingConnection } from "./renewing-connection.ts";

type Send = (method: string, options: ConnectionRequestOptions) => Promise<unknown>;

/** A session that answers as it is told. */
function session(send: Send): McpConnection & { readonly closes: string[] } {
  const closes: string[] = [];
  return {
    closes,
    raw: undefined,
    era: "legacy",
    server: { name: "scripted", version: "1", capabilities: {} },
    endpoint: { transport: "in-memory" },
    suggestedConcurrency: 1,
    request: (method, _params, options) => send(method, options),
    probe: async () => {},
    onNotification: () => () => {},
    onClosed: () => () => {},
    close: async (reason) => void closes.push(reason),
  };
}

test("a former session is closed in the end, though an abandoned call on it is never answered", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const abandoned = new RequestFailure("aborted", "aborted", { lateAnswer: new Promise(() => {}) });
  const lost = new RequestFailure("session-lost", "HTTP 404");
  const old = session((method) => Promise.reject(method === "abandoned" ? abandoned : lost));
  const fresh = session(async () => "answer");
  const request = { serverName: "files", identity: undefined, signal: new AbortController().signal, timeoutMs: 1_000 };
  const connection = new RenewingConnection(old, request, async () => fresh);
  const { signal } = new AbortController();
  await expect(connection.request("abandoned", undefined, { signal })).rejects.toBe(abandoned);
  expect(await connection.request("tools/call", undefined, { signal })).toBe("answer");
  expect(old.closes).toEqual([]);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(old.closes).toEqual(["lost"]);
  await connection.close("idle");
  expect(fresh.closes).toEqual(["idle"]);
});
