import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { McpConfigurationError } from "@mcp-pool/core";
import { type HttpTestServer, type HttpTestServerOptions, startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HttpConnectorOptions, httpConnector } from "../src/http/index.ts";
import { callForJson, callTool, closed, connectRequest, eventually, never, open, SLOW } from "./connecting.ts";

async function startServer(options: HttpTestServerOptions = {}): Promise<HttpTestServer> {
  const server = await startHttpTestServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** What is left on the server once the client has gone. */
function leftOn({ sockets, responses, sessions }: ReturnType<HttpTestServer["stats"]>): Record<string, number> {
  return { sockets: sockets.open, requests: responses.requests, listening: responses.listening, live: sessions.live };
}

const NOTHING = { sockets: 0, requests: 0, listening: 0, live: 0 };

interface Flavour {
  readonly server: HttpTestServerOptions;
  readonly transport: NonNullable<HttpConnectorOptions["transport"]>;
}

const flavours: Readonly<Record<string, Flavour>> = {
  "Streamable HTTP": { server: {}, transport: "streamable-http" },
  "Streamable HTTP with JSON answers": { server: { jsonResponse: true }, transport: "auto" },
  "Streamable HTTP with resumable streams": { server: { resumable: true }, transport: "auto" },
  "Streamable HTTP without sessions": { server: { stateless: true }, transport: "auto" },
  "HTTP+SSE": { server: {}, transport: "sse" },
};

describe.each(Object.entries(flavours))("a connection over %s", SLOW, (_, { server: serverOptions, transport }) => {
  test("opens, carries 100 requests at one time, and closes without leaving anything", async () => {
    const server = await startServer(serverOptions);
    const url = transport === "sse" ? server.sseUrl : server.url;
    const connection = await open(httpConnector({ url, transport }));
    expect(connection.server).toMatchObject({ name: "test-server", protocolVersion: "2025-11-25" });
    expect(connection).toMatchObject({ era: "legacy", suggestedConcurrency: 64 });
    const endpoint = { transport: transport === "sse" ? "sse" : "http", address: "127.0.0.1", port: server.port };
    expect(connection.endpoint).toEqual(endpoint);
    const messages = Array.from({ length: 100 }, (_, index) => `message ${index}`);
    const results = await Promise.all(messages.map((message) => callTool(connection, "echo", { message })));
    expect(results).toEqual(messages.map((text) => ({ content: [{ type: "text", text }] })));
    await connection.probe(never());
    await connection.close("idle");
    await eventually(() => leftOn(server.stats())).toEqual(NOTHING);
  });

  test("closes in the middle of a request without leaving anything", async () => {
    const server = await startServer(serverOptions);
    const url = transport === "sse" ? server.sseUrl : server.url;
    const connection = await open(httpConnector({ url, transport }));
    const hanging = callTool(connection, "hang").catch((error: unknown) => error);
    await eventually(() => server.stats().requests["tools/call"]).toBe(1);
    const losses: unknown[] = [];
    connection.onClosed((cause) => losses.push(cause));
    await connection.close("discarded");
    expect(await hanging).toMatchObject({ judgement: "outcome-unknown" });
    await eventually(() => leftOn(server.stats())).toEqual(NOTHING);
    expect(losses).toEqual([]);
  });

  test("sends the headers of a request with its own POST only, and none that belong to the protocol", async () => {
    const server = await startServer(serverOptions);
    const url = transport === "sse" ? server.sseUrl : server.url;
    const connection = await open(
      httpConnector({ url, transport, headers: { "x-tenant": "own", "x-other": "own", "mcp-session-id": "own" } }),
    );
    const seen = async (headers?: Record<string, string>): Promise<unknown> => {
      const args = { headers: ["x-tenant", "x-other", "x-trace", "content-type"] };
      const params = { name: "session-info", arguments: args };
      const result = await connection.request("tools/call", params, { signal: never(), headers });
      return (result as { structuredContent: { headers: unknown } }).structuredContent.headers;
    };
    const content = "application/json";
    const all = await Promise.all([
      seen({ "X-Tenant": "a", "x-trace": "1", "Mcp-Session-Id": "wrong", "Content-Type": "text/plain" }),
      seen({ "x-tenant": "b" }),
      seen(),
    ]);
    expect(all).toEqual([
      { "x-tenant": "a", "x-other": "own", "x-trace": "1", "content-type": content },
      { "x-tenant": "b", "x-other": "own", "content-type": content },
      { "x-tenant": "own", "x-other": "own", "content-type": content },
    ]);
  });

  test("reports progress and notifications", async () => {
    const server = await startServer(serverOptions);
    const url = transport === "sse" ? server.sseUrl : server.url;
    const connection = await open(httpConnector({ url, transport }));
    const heard: string[] = [];
    connection.onNotification(({ method }) => heard.push(method));
    const reports: unknown[] = [];
    const params = { name: "progress", arguments: { steps: 3 } };
    await connection.request("tools/call", params, { signal: never(), onProgress: (report) => reports.push(report) });
    await callTool(connection, "log", { message: "hello" });
    // One JSON document has no place for notifications.
    expect(reports).toHaveLength(serverOptions.jsonResponse ? 0 : 3);
    expect(heard).toEqual(serverOptions.jsonResponse ? [] : ["notifications/message"]);
  });
});

describe("httpConnector", SLOW, () => {
  test("falls back to HTTP+SSE where the server is an old one, and remembers it", async () => {
    const server = await startServer();
    const connector = httpConnector({ url: server.sseUrl });
    const first = await open(connector);
    expect(first.endpoint.transport).toBe("sse");
    const posts = server.stats().httpRequests.POST;
    await first.close("idle");
    await open(connector);
    // Without the first, vain POST: `initialize` and `notifications/initialized`.
    expect(server.stats().httpRequests.POST).toBe((posts ?? 0) + 2);
  });

  test("does not fall back when it is told which transport to use", async () => {
    const server = await startServer();
    const connecting = httpConnector({ url: server.sseUrl, transport: "streamable-http" }).connect(connectRequest());
    await expect(connecting).rejects.toMatchObject({ message: expect.stringMatching(/HTTP 405/) });
    expect(server.stats().httpRequests.GET).toBeUndefined();
  });

  test("hears what the server says on the session's own stream", async () => {
    const server = await startServer();
    const connection = await open(httpConnector({ url: server.url }));
    await eventually(() => server.stats().responses.listening).toBe(1);
    const heard = new Promise<string>((resolve) => connection.onNotification(({ method }) => resolve(method)));
    await callTool(connection, "change-tools", { name: "added" });
    expect(await heard).toBe("notifications/tools/list_changed");
  });

  test("uses the fetch it is given", async () => {
    const server = await startServer();
    const methods: (string | undefined)[] = [];
    const connector = httpConnector({
      url: server.url,
      fetch: (url, init) => {
        methods.push(init?.method);
        return fetch(url, init);
      },
    });
    const connection = await open(connector);
    await callTool(connection, "echo", { message: "" });
    await connection.close("idle");
    expect(methods.toSorted()).toEqual(["DELETE", "GET", "POST", "POST", "POST"]);
  });

  test("sends credentials of the URL as a header", async () => {
    const server = await startServer();
    const url = new URL(server.url);
    url.username = "user";
    url.password = "p%40ss";
    const connection = await open(httpConnector({ url }));
    const { headers } = await callForJson(connection, "session-info", { headers: ["authorization"] });
    expect(headers).toEqual({ authorization: `Basic ${btoa("user:p@ss")}` });
  });

  test("keeps its headers from other origins", async () => {
    const seen: unknown[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers["x-key"]);
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void elsewhere.close());
    const { port } = elsewhere.address() as AddressInfo;
    const server = await startServer({ bearerToken: "token" });
    const authProvider = {
      redirectUrl: "http://127.0.0.1/",
      clientMetadata: { redirect_uris: [] },
      clientInformation: () => ({ client_id: "id" }),
      tokens: () => undefined,
      saveTokens: () => undefined,
      redirectToAuthorization: () => undefined,
      saveCodeVerifier: () => undefined,
      codeVerifier: () => "",
      discoveryState: () => ({ authorizationServerUrl: `http://127.0.0.1:${port}` }),
    };
    const connecting = httpConnector({ url: server.url, headers: { "x-key": "secret" }, authProvider });
    await expect(connecting.connect(connectRequest())).rejects.toMatchObject({ judgement: "unauthorised" });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.filter((key) => key !== undefined)).toEqual([]);
  });

  test("closes in bounded time when the server does not answer the end of its session", async () => {
    const server = await startServer();
    const connection = await open(httpConnector({ url: server.url }));
    server.hangNext({ httpMethod: "DELETE" });
    await connection.close("idle");
    await eventually(() => server.stats().sockets.open).toBe(0);
  });

  test("notices that the event stream of HTTP+SSE has ended", async () => {
    const server = await startServer();
    const connection = await open(httpConnector({ url: server.sseUrl, transport: "sse" }));
    const hanging = callTool(connection, "hang").catch((error: unknown) => error);
    await eventually(() => server.stats().requests["tools/call"]).toBe(1);
    server.dropStreams({ which: "listen" });
    expect(await hanging).toMatchObject({ judgement: "outcome-unknown" });
    expect((await closed(connection))?.message).toBe("the server's event stream ended");
  });

  test.each(["", "no url", "file:///etc/passwd", "ftp://user:secret@host/"])(
    "refuses %j without repeating it",
    (url) => {
      const make = (): unknown => httpConnector({ url });
      expect(make).toThrow(McpConfigurationError);
      expect(make).not.toThrow(/secret/);
    },
  );

  test("refuses a header that cannot be sent, without repeating its value", () => {
    const make = (): unknown =>
      httpConnector({ url: "http://127.0.0.1/", headers: { authorization: "Bearer s3cret\nx" } });
    expect(make).toThrow(McpConfigurationError);
    expect(make).toThrow(/headers.authorization/);
    expect(make).not.toThrow(/s3cret/);
  });

  test("takes a user name with a bare percent sign as it is", () => {
    expect(() => httpConnector({ url: "http://user%:p@127.0.0.1/" })).not.toThrow();
  });
});
