import { type HttpTestServer, type HttpTestServerOptions, startHttpTestServer } from "@mcp-pool/test-server";
import { McpError } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HttpConnectorOptions, httpConnector } from "../src/http/index.ts";
import { callTool, eventually, failureOf, never, open, SLOW } from "./connecting.ts";

async function connected(serverOptions: HttpTestServerOptions = {}, options: Partial<HttpConnectorOptions> = {}) {
  const server = await startHttpTestServer(serverOptions);
  onTestFinished(() => server.close());
  const connection = await open(httpConnector({ url: server.url, renewSessions: false, ...options }));
  return { server, connection };
}

const CALL = { method: "tools/call" };

interface Row {
  readonly upset: (server: HttpTestServer) => unknown;
  readonly judgement: string;
  readonly retryAfterMs?: number;
  /** Whether the connection still works afterwards. */
  readonly keeps?: boolean;
  readonly serverOptions?: HttpTestServerOptions;
  readonly options?: Partial<HttpConnectorOptions>;
}

const rows: Readonly<Record<string, Row>> = {
  "429 with Retry-After": {
    upset: (server) => server.failNext({ status: 429, retryAfter: 2, ...CALL }),
    judgement: "overloaded",
    retryAfterMs: 2_000,
    keeps: true,
  },
  "503 without Retry-After": {
    upset: (server) => server.failNext({ status: 503, ...CALL }),
    judgement: "overloaded",
    keeps: true,
  },
  "401": { upset: (server) => server.failNext({ status: 401, ...CALL }), judgement: "unauthorised", keeps: true },
  "403": { upset: (server) => server.failNext({ status: 403, ...CALL }), judgement: "unauthorised", keeps: true },
  "404 for a session that the server forgot": { upset: (server) => server.expireSessions(), judgement: "session-lost" },
  "400 for a session that the server forgot, if declared": {
    upset: (server) => server.expireSessions(),
    judgement: "session-lost",
    serverOptions: { unknownSessionStatus: 400 },
    options: { sessionLostStatuses: [400, 404] },
  },
  "400 for a session that the server forgot, if not declared": {
    upset: (server) => server.expireSessions(),
    judgement: "answered",
    serverOptions: { unknownSessionStatus: 400 },
  },
  "404 without a session": {
    upset: (server) => server.failNext({ status: 404, ...CALL }),
    judgement: "answered",
    serverOptions: { stateless: true },
    keeps: true,
  },
  "500": { upset: (server) => server.failNext({ status: 500, ...CALL }), judgement: "outcome-unknown", keeps: true },
  "502": { upset: (server) => server.failNext({ status: 502, ...CALL }), judgement: "outcome-unknown", keeps: true },
  "a socket reset before an answer": {
    upset: (server) => server.resetNext(CALL),
    judgement: "outcome-unknown",
    keeps: true,
  },
  "a socket reset after the execution": {
    upset: (server) => server.resetNext({ when: "after", ...CALL }),
    judgement: "outcome-unknown",
    keeps: true,
  },
  "a JSON answer that is cut off": {
    upset: (server) => server.resetNext({ when: "after", ...CALL }),
    judgement: "outcome-unknown",
    serverOptions: { jsonResponse: true },
    keeps: true,
  },
  "a server that has gone": { upset: (server) => server.close(), judgement: "not-sent" },
};

describe("over HTTP, the failure of a request is judged:", SLOW, () => {
  test.each(Object.entries(rows))(
    "%s",
    async (_, { upset, judgement, retryAfterMs, keeps, serverOptions, options }) => {
      const { server, connection } = await connected(serverOptions, options);
      await upset(server);
      const failure = await failureOf(callTool(connection, "echo", { message: "" }));
      expect(failure).toMatchObject({ name: "RequestFailure", judgement });
      expect(failure.retryAfterMs).toBe(retryAfterMs);
      expect(failure.cause).toBeDefined();
      if (keeps) await expect(callTool(connection, "echo", { message: "" })).resolves.toBeDefined();
    },
  );

  test("an error of the server, even one with the codes the SDK uses for its own", async () => {
    const { connection } = await connected();
    for (const code of [-32_000, -32_001, -32_602]) {
      const failure = await failureOf(callTool(connection, "throw", { code, message: "no", data: { why: 1 } }));
      expect(failure.judgement).toBe("answered");
      expect(failure.cause).toBeInstanceOf(McpError);
      expect(failure.cause).toMatchObject({ code, data: { why: 1 } });
    }
  });
});

describe("a response stream that ends without the answer", SLOW, () => {
  test.each(["destroy", "end"] as const)("fails its request at once and no other (%s)", async (how) => {
    const { server, connection } = await connected();
    const lost = failureOf(callTool(connection, "sleep", { ms: 60_000 }));
    await eventually(() => server.stats().responses.requests).toBe(1);
    const startedAt = performance.now();
    server.dropStreams({ which: "request", how });
    const kept = callTool(connection, "echo", { message: "kept" });
    expect(await lost).toMatchObject({
      judgement: "outcome-unknown",
      message: expect.stringContaining("stream ended"),
    });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await expect(kept).resolves.toBeDefined();
  });

  test("is resumed where the server allows it, and the answer still arrives", async () => {
    const reconnection = { initialReconnectionDelay: 20 };
    const { server, connection } = await connected({ resumable: true }, { reconnection });
    const call = callTool(connection, "sleep", { ms: 1_000 });
    await eventually(() => server.stats().responses.requests).toBe(1);
    server.dropStreams({ which: "request" });
    expect(await call).toMatchObject({ content: [{ text: "slept 1000 ms" }] });
  });

  test("fails its request when it cannot be resumed", async () => {
    const reconnection = { initialReconnectionDelay: 20, maxRetries: 2 };
    const { server, connection } = await connected({ resumable: true }, { reconnection });
    const lost = failureOf(callTool(connection, "sleep", { ms: 60_000 }));
    await eventually(() => server.stats().responses.requests).toBe(1);
    server.expireSessions();
    server.dropStreams({ which: "request" });
    expect(await lost).toMatchObject({ judgement: "outcome-unknown", message: expect.stringContaining("resumed") });
  });
});

describe("an aborted request", SLOW, () => {
  test("fails as aborted, and tells when its late answer has come", async () => {
    const { server, connection } = await connected({ ignoreCancellation: true });
    const controller = new AbortController();
    const reason = new Error("gave up");
    const call = failureOf(callTool(connection, "sleep", { ms: 400 }, controller.signal));
    await eventually(() => server.stats().responses.requests).toBe(1);
    controller.abort(reason);
    const failure = await call;
    expect(failure).toMatchObject({ judgement: "aborted", cause: reason });
    let isLate = false;
    const late = failure.lateAnswer?.then(() => {
      isLate = true;
    });
    await callTool(connection, "echo", { message: "meanwhile" });
    expect(isLate).toBe(false);
    await late;
    expect(isLate).toBe(true);
    expect(server.stats().requests["notifications/cancelled"]).toBe(1);
  });

  test("has no late answer once its connection has closed", async () => {
    const { server, connection } = await connected();
    const controller = new AbortController();
    const call = failureOf(callTool(connection, "hang", {}, controller.signal));
    await eventually(() => server.stats().responses.requests).toBe(1);
    controller.abort();
    const { lateAnswer } = await call;
    await connection.close("idle");
    await expect(lateAnswer).resolves.toBe(false);
  });

  test("is not sent when its signal has aborted before", async () => {
    const { server, connection } = await connected();
    const failure = await failureOf(connection.request("ping", undefined, { signal: AbortSignal.abort("no") }));
    expect(failure).toMatchObject({ judgement: "aborted", cause: "no", lateAnswer: undefined });
    await connection.probe(never());
    expect(server.stats().requests.ping).toBe(1);
  });
});

describe("failed requests", SLOW, () => {
  test("leave no handler behind in the SDK's client, however many there are", async () => {
    const { server, connection } = await connected();
    server.failNext({ status: 429, count: 200, ...CALL });
    for (let call = 0; call < 200; call++) {
      expect(await failureOf(callTool(connection, "echo", { message: "" }))).toMatchObject({ judgement: "overloaded" });
    }
    for (const name of ["_responseHandlers", "_progressHandlers", "_timeoutInfo"]) {
      const handlers = Reflect.get(connection.raw as object, name) as ReadonlyMap<unknown, unknown>;
      expect(handlers.size, name).toBe(0);
    }
    await expect(callTool(connection, "echo", { message: "" })).resolves.toBeDefined();
  });
});
