import { getEventListeners } from "node:events";
import { stdioTestServer } from "@mcp-pool/test-server";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { describe, expect, test } from "vitest";
import { stdioConnector } from "../src/stdio/index.ts";
import { callForJson, callTool, failureOf, never, open, SLOW } from "./connecting.ts";

describe("a stdio connection", SLOW, () => {
  test("describes its server, its endpoint and itself", async () => {
    const connection = await open(stdioConnector(stdioTestServer({ TEST_SERVER_VERSION: "4.5.6" })));
    expect(connection.server).toMatchObject({ name: "test-server", version: "4.5.6", protocolVersion: "2025-11-25" });
    expect(connection.server.capabilities).toHaveProperty("tools");
    const { pid } = await callForJson(connection, "session-info");
    expect(connection.endpoint).toEqual({ transport: "stdio", processId: pid });
    expect(connection).toMatchObject({ era: "legacy", suggestedConcurrency: 128 });
    expect(connection.raw).toBeInstanceOf(Client);
  });

  test("passes results and parameters through untouched", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    expect(await callTool(connection, "structured", { message: "häß\n≠" })).toEqual({
      content: [{ type: "text", text: JSON.stringify({ message: "häß\n≠", length: 5 }) }],
      structuredContent: { message: "häß\n≠", length: 5 },
    });
    const params = { name: "session-info", _meta: { "example.com/trace": { id: [1] } } };
    const result = await connection.request("tools/call", params, { signal: never() });
    expect(result).toMatchObject({ structuredContent: { meta: params._meta } });
  });

  test("carries many requests at one time", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const messages = Array.from({ length: 200 }, (_, index) => `message ${index}`);
    const results = await Promise.all(messages.map((message) => callTool(connection, "echo", { message })));
    expect(results).toEqual(messages.map((text) => ({ content: [{ type: "text", text }] })));
  });

  test("carries an answer of several megabytes", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const result = await callTool(connection, "large", { bytes: 5_000_000 });
    expect(JSON.stringify(result).length).toBeGreaterThan(5_000_000);
  });

  test("gives the process its arguments, directory and variables, and of ours only the harmless ones", async () => {
    process.env.OUR_OWN_SECRET = "not for servers";
    const { command, args } = stdioTestServer();
    const env = { GIVEN: "a b;$HOME", TEST_SERVER_NAME: "two words" };
    const connection = await open(
      stdioConnector({ command, args: ["--no-warnings", ...args, "a b", "'c'"], env, cwd: "/" }),
    );
    const names = ["GIVEN", "PATH", "OUR_OWN_SECRET"];
    const { cwd, variables } = await callForJson(connection, "session-info", { variables: names });
    expect(cwd).toBe("/");
    expect(variables).toEqual({ GIVEN: "a b;$HOME", PATH: process.env.PATH });
    expect(connection.server.name).toBe("two words");
  });

  test("keeps an argument with spaces and quotes in one piece", async () => {
    const print = "console.error(JSON.stringify(process.argv.slice(1)))";
    const connector = stdioConnector({ command: process.execPath, args: ["-e", print, "a b", 'say "hi"', "$HOME *"] });
    const failure = await failureOf(open(connector));
    expect(failure.message).toContain(JSON.stringify(["a b", 'say "hi"', "$HOME *"]));
  });

  test("reports progress to the request it belongs to", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const run = async (steps: number): Promise<unknown[]> => {
      const reports: unknown[] = [];
      const params = { name: "progress", arguments: { steps }, _meta: { kept: true } };
      await connection.request("tools/call", params, { signal: never(), onProgress: (report) => reports.push(report) });
      return reports;
    };
    const [two, three] = await Promise.all([run(2), run(3)]);
    expect(two).toEqual([1, 2].map((progress) => ({ progress, total: 2, message: `step ${progress}` })));
    expect(three).toHaveLength(3);
  });

  test("tells every listener of every notification, until it is taken off", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const heard: string[] = [];
    connection.onNotification(() => {
      throw new Error("a bad listener");
    });
    const off = connection.onNotification(({ method }) => heard.push(`a ${method}`));
    connection.onNotification(({ method, params }) => heard.push(`b ${method} ${params?.data ?? ""}`));
    await callTool(connection, "log", { message: "hello" });
    off();
    off();
    await callTool(connection, "change-tools", { name: "added" });
    expect(heard).toEqual([
      "a notifications/message",
      "b notifications/message hello",
      "b notifications/tools/list_changed ",
    ]);
  });

  test("leaves the SDK's client usable beside it", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const client = connection.raw as Client;
    const [viaClient, viaPool] = await Promise.all([
      client.callTool({ name: "echo", arguments: { message: "client" } }),
      callTool(connection, "echo", { message: "pool" }),
    ]);
    expect(viaClient.content).toEqual([{ type: "text", text: "client" }]);
    expect(viaPool).toEqual({ content: [{ type: "text", text: "pool" }] });
  });

  test("leaves no listener on the signals it was given", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const { signal } = new AbortController();
    await Promise.all([callTool(connection, "echo", { message: "" }, signal), connection.probe(signal)]);
    await failureOf(callTool(connection, "throw", {}, signal));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("blames parameters that are no JSON on the caller, and goes on", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const failure = await failureOf(callTool(connection, "echo", { message: 1n }));
    expect(failure).toMatchObject({ judgement: "answered", cause: expect.any(TypeError) });
    await expect(callTool(connection, "echo", { message: "still here" })).resolves.toBeDefined();
  });

  test.each([
    ["answers", {}],
    ["does not know ping", { TEST_SERVER_REFUSE_PING: "1" }],
  ])("is alive when the server %s", async (_, env) => {
    const connection = await open(stdioConnector(stdioTestServer(env)));
    await expect(connection.probe(never())).resolves.toBeUndefined();
  });

  test("fails a probe that is not answered until its signal aborts", async () => {
    const connection = await open(stdioConnector(stdioTestServer({ TEST_SERVER_IGNORE_PING: "1" })));
    const failure = await failureOf(connection.probe(AbortSignal.timeout(50)));
    expect(failure.judgement).toBe("aborted");
  });

  test("skips a line that is no message, and reports it to the client", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const errors: string[] = [];
    (connection.raw as Client).onerror = (error) => errors.push(error.message);
    await callTool(connection, "garbage", { kind: "line" });
    await callTool(connection, "garbage", { kind: "unknown-response" });
    expect(errors[0]).toContain('"this is not JSON"');
    await expect(callTool(connection, "echo", { message: "still here" })).resolves.toBeDefined();
  });

  test("reads stderr however much there is", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    await expect(callTool(connection, "stderr", { lines: 20_000 })).resolves.toBeDefined();
  });
});
