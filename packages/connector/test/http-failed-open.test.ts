import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConnectFailure, type HttpConnectorOptions, httpConnector } from "../src/http/index.ts";
import { connectRequest, eventually, failureOf, SLOW } from "./connecting.ts";
import { activeHandles } from "./processes.ts";

/** Accepts connections and never says a word. */
async function startSilentServer(): Promise<{
  readonly server: Server;
  readonly port: number;
  readonly open: () => number;
}> {
  let sockets = 0;
  const server = createServer((socket) => {
    sockets += 1;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets -= 1;
    });
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port, open: () => sockets };
}

const transports = ["auto", "streamable-http", "sse"] as const;

describe.each(transports)("opening with transport %s fails, and leaves nothing behind,", SLOW, (transport) => {
  test("when the server refuses connections", async () => {
    const { server, port } = await startSilentServer();
    await new Promise((resolve) => server.close(resolve));
    const url = `http://user:hidden@127.0.0.1:${port}/mcp?key=hidden`;
    const handles = activeHandles();
    const failure = await failureOf(httpConnector({ url, transport }).connect(connectRequest()));
    expect(failure).toBeInstanceOf(ConnectFailure);
    expect(failure).toMatchObject({ code: "ECONNREFUSED", judgement: "not-sent" });
    expect(failure.message).toBe(`http://127.0.0.1:${port}/mcp?[redacted]: connect ECONNREFUSED 127.0.0.1:${port}`);
    expect(activeHandles()).toBeLessThanOrEqual(handles);
  });

  test("when the host does not exist", async () => {
    const failure = await failureOf(
      httpConnector({ url: "http://no-such-host.invalid/mcp", transport }).connect(connectRequest()),
    );
    expect(failure.judgement).toBe("not-sent");
    expect(failure).toHaveProperty("code", expect.stringMatching(/ENOTFOUND|EAI_AGAIN/));
  });

  test("when the server never answers", async () => {
    const { port, open } = await startSilentServer();
    const connector = httpConnector({ url: `http://127.0.0.1:${port}/mcp`, transport });
    const failure = await failureOf(connector.connect(connectRequest({ timeoutMs: 200 })));
    expect(failure).toMatchObject({ code: "ETIMEDOUT", message: expect.stringContaining("longer than 200 ms") });
    await eventually(open).toBe(0);
  });

  test("when it is aborted in the middle, with the reason", async () => {
    const { port, open } = await startSilentServer();
    const controller = new AbortController();
    const connector = httpConnector({ url: `http://127.0.0.1:${port}/mcp`, transport });
    const connecting = connector.connect(connectRequest({ signal: controller.signal }));
    await eventually(open).toBe(1);
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    await eventually(open).toBe(0);
  });

  test.each([
    { status: 401, judgement: "unauthorised" },
    { status: 403, judgement: "unauthorised" },
    { status: 503, judgement: "overloaded", retryAfter: 3 },
    { status: 500, judgement: "not-sent" },
  ])("when the server answers $status", async ({ status, judgement, retryAfter }) => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const httpMethod = transport === "sse" ? "GET" : "POST";
    server.failNext({ status, httpMethod, ...(retryAfter !== undefined && { retryAfter }) });
    const url = transport === "sse" ? server.sseUrl : server.url;
    const failure = await failureOf(httpConnector({ url, transport }).connect(connectRequest()));
    expect(failure).toMatchObject({ judgement, message: expect.stringContaining(`HTTP ${status}`) });
    expect(failure.retryAfterMs).toBe(retryAfter && retryAfter * 1_000);
    // It did not try the other transport either.
    const { POST = 0, GET = 0 } = server.stats().httpRequests;
    expect(POST + GET).toBe(1);
    await eventually(() => server.stats().sockets.open).toBe(0);
  });
});

describe("opening fails, and leaves nothing behind,", SLOW, () => {
  test("when neither transport is spoken, and says both", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const url = new URL("/nothing", server.url);
    const failure = await failureOf(httpConnector({ url }).connect(connectRequest()));
    expect(failure.message).toMatch(/HTTP 404.*; and over HTTP\+SSE: .*HTTP 404/);
    await eventually(() => server.stats().sockets.open).toBe(0);
  });

  test("when the session was opened and its confirmation is refused; the session is ended", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    server.failNext({ status: 500, method: "notifications/initialized" });
    const options: HttpConnectorOptions = { url: server.url };
    await failureOf(httpConnector(options).connect(connectRequest()));
    await eventually(() => server.stats().sessions.live).toBe(0);
    await eventually(() => server.stats().sockets.open).toBe(0);
  });
});
