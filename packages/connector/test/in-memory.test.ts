import { createTestServer } from "@mcp-pool/test-server";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { describe, expect, test, vi } from "vitest";
import { type ConnectableServer, ConnectFailure, inMemoryConnector } from "../src/in-memory/index.ts";
import { callTool, closed, connectRequest, failureOf, never, open, SLOW } from "./connecting.ts";

describe("an in-memory connection", SLOW, () => {
  test("carries requests, progress and notifications", async () => {
    const connection = await open(inMemoryConnector({ server: () => createTestServer() }));
    expect(connection).toMatchObject({
      era: "legacy",
      suggestedConcurrency: 1_024,
      endpoint: { transport: "in-memory" },
    });
    const heard: string[] = [];
    connection.onNotification(({ method }) => heard.push(method));
    const reports: unknown[] = [];
    const params = { name: "progress", arguments: { steps: 2 } };
    await connection.request("tools/call", params, { signal: never(), onProgress: (report) => reports.push(report) });
    await callTool(connection, "log", { message: "hello" });
    expect(reports).toHaveLength(2);
    expect(heard).toEqual(["notifications/message"]);
    await connection.probe(never());
  });

  test("has a server of its own, made for its request", async () => {
    const server = vi.fn((_request: unknown) => createTestServer());
    const connector = inMemoryConnector({ server });
    const [first, second] = [await open(connector, { identity: "ann" }), await open(connector, { identity: "bob" })];
    expect(server.mock.calls).toMatchObject([[{ identity: "ann" }], [{ identity: "bob" }]]);
    await callTool(first, "set", { key: "k", value: "ann's" });
    expect(await callTool(second, "get", { key: "k" })).toMatchObject({ isError: true });
  });

  test("closes both ends", async () => {
    const server = new McpServer({ name: "both", version: "1" });
    const ended = new Promise<void>((resolve) => {
      server.server.onclose = resolve;
    });
    const connection = await open(inMemoryConnector({ server: () => server }));
    const losses: unknown[] = [];
    connection.onClosed((cause) => losses.push(cause));
    const hanging = failureOf(connection.request("resources/list", undefined, { signal: never() }));
    await connection.close("idle");
    await ended;
    expect(await hanging).toBeDefined();
    expect(losses).toEqual([]);
    expect(await failureOf(connection.probe(never()))).toMatchObject({ judgement: "not-sent" });
  });

  test("tells when the server closes, once, and fails what is in flight", async () => {
    const server = createTestServer();
    const connection = await open(inMemoryConnector({ server: () => server }));
    const causes: unknown[] = [];
    connection.onClosed((cause) => causes.push(cause));
    const hanging = failureOf(callTool(connection, "hang"));
    await server.close();
    expect(await hanging).toMatchObject({ judgement: "outcome-unknown" });
    expect(await closed(connection)).toBeUndefined();
    expect(causes).toEqual([undefined]);
  });

  test("counts as lost when the SDK's client is closed behind the pool's back", async () => {
    const connection = await open(inMemoryConnector({ server: () => createTestServer() }));
    const ended = closed(connection);
    const { raw } = connection;
    await (raw as { close(): Promise<void> }).close();
    expect(await ended).toBeUndefined();
  });

  test("judges a server's error as its answer", async () => {
    const connection = await open(inMemoryConnector({ server: () => createTestServer() }));
    const failure = await failureOf(callTool(connection, "throw", { code: -32_000, message: "no" }));
    expect(failure).toMatchObject({ judgement: "answered", cause: { code: -32_000 } });
  });
});

describe("opening an in-memory connection fails", SLOW, () => {
  const rejecting: ConnectableServer = { connect: () => Promise.reject(new Error("will not")) };
  const silent: ConnectableServer = { connect: async () => undefined };

  test.each([
    ["when the server cannot be made", () => Promise.reject(new Error("cannot")), "in-memory server: cannot"],
    ["when the server refuses", () => rejecting, "in-memory server: will not"],
    ["when the server never answers", () => silent, "in-memory server: the handshake took longer than 50 ms"],
    [
      "when the server is never made",
      () => new Promise<never>(() => {}),
      "in-memory server: the handshake took longer than 50 ms",
    ],
  ])("%s", async (_, server, message) => {
    const failure = await failureOf(inMemoryConnector({ server }).connect(connectRequest({ timeoutMs: 50 })));
    expect(failure).toBeInstanceOf(ConnectFailure);
    expect(failure.message).toBe(message);
  });

  test("and never connects a server that is made too late", async () => {
    let make: (server: ConnectableServer) => void = () => {};
    const made = new Promise<ConnectableServer>((resolve) => {
      make = resolve;
    });
    await failureOf(inMemoryConnector({ server: () => made }).connect(connectRequest({ timeoutMs: 50 })));
    const late = { connect: vi.fn(async () => undefined) };
    make(late);
    await made;
    await new Promise(setImmediate);
    expect(late.connect).not.toHaveBeenCalled();
  });
});
