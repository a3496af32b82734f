import { describe, expect, test } from "vitest";
import { ConnectFailure } from "../src/in-memory/index.ts";
import { mockConnector } from "../src/mock/index.ts";
import { callTool, closed, connectRequest, failureOf, never, open, SLOW } from "./connecting.ts";

const text = (value: string) => ({ content: [{ type: "text", text: value }] });

describe("a mock", SLOW, () => {
  test("echoes without configuration: messages as they are, all else as JSON, whatever the tool", async () => {
    const connection = await open(mockConnector());
    expect(connection.endpoint).toEqual({ transport: "in-memory" });
    expect(await callTool(connection, "echo", { message: "hi" })).toEqual(text("hi"));
    expect(await callTool(connection, "anything", { a: 1 })).toEqual(text('{"a":1}'));
    const { tools } = (await connection.request("tools/list", undefined, { signal: never() })) as { tools: object[] };
    expect(tools).toMatchObject([{ name: "echo", inputSchema: { type: "object" } }]);
    await connection.probe(never());
  });

  test("has the tools it is given, and no others", async () => {
    const result = { content: [{ type: "text", text: "whole" }], structuredContent: { a: 1 } };
    const connection = await open(
      mockConnector({
        tools: {
          text: { result: "plain" },
          json: { result: [1, 2] },
          whole: { result },
          fails: { result: "bad", isError: true },
          made: { handler: async ({ n }) => Number(n) + 1 },
          echo: {},
        },
      }),
    );
    expect(await callTool(connection, "text")).toEqual(text("plain"));
    expect(await callTool(connection, "json")).toEqual(text("[1,2]"));
    expect(await callTool(connection, "whole")).toEqual(result);
    expect(await callTool(connection, "fails")).toEqual({ ...text("bad"), isError: true });
    expect(await callTool(connection, "made", { n: 1 })).toEqual(text("2"));
    expect(await callTool(connection, "echo", { x: "y" })).toEqual(text('{"x":"y"}'));
    expect(await failureOf(callTool(connection, "constructor"))).toMatchObject({ judgement: "answered" });
  });

  test("takes its time", async () => {
    const connector = mockConnector({
      latencyMs: 40,
      connectLatencyMs: 40,
      tools: { slow: {}, fast: { latencyMs: 0 } },
    });
    const startedAt = performance.now();
    const connection = await open(connector);
    expect(performance.now() - startedAt).toBeGreaterThan(35);
    const calledAt = performance.now();
    await callTool(connection, "slow");
    expect(performance.now() - calledAt).toBeGreaterThan(35);
  });

  test("meets its faults in turn, counted over all connections", async () => {
    const connector = mockConnector({
      faults: [
        { kind: "error", every: 2, times: 1, message: "second" },
        { kind: "disconnect", tool: "leave" },
      ],
    });
    const [one, other] = [await open(connector), await open(connector)];
    expect(await callTool(one, "echo", { message: "1" })).toEqual(text("1"));
    expect(await failureOf(callTool(other, "echo"))).toMatchObject({
      judgement: "answered",
      message: expect.stringContaining("second"),
    });
    for (const message of ["3", "4"]) expect(await callTool(one, "echo", { message })).toEqual(text(message));
    expect(await failureOf(callTool(one, "leave"))).toMatchObject({ judgement: "outcome-unknown" });
    await closed(one);
    expect(await callTool(other, "echo", { message: "5" })).toEqual(text("5"));
  });

  test("refuses connections, and hangs, when it is told to", async () => {
    const connector = mockConnector({
      faults: [
        { kind: "refuse", times: 1, message: "not yet" },
        { kind: "hang", tool: "hang" },
      ],
    });
    const failure = await failureOf(connector.connect(connectRequest()));
    expect(failure).toBeInstanceOf(ConnectFailure);
    expect(failure).toMatchObject({ message: expect.stringContaining("not yet") });
    const connection = await open(connector);
    const controller = new AbortController();
    const hanging = failureOf(
      connection.request("tools/call", { name: "hang", arguments: {} }, { signal: controller.signal }),
    );
    controller.abort(new Error("enough"));
    expect(await hanging).toMatchObject({ judgement: "aborted" });
  });

  test("gives a slow connect up with its caller", async () => {
    const controller = new AbortController();
    const connecting = failureOf(
      mockConnector({ connectLatencyMs: 60_000 }).connect(connectRequest({ signal: controller.signal })),
    );
    controller.abort(new Error("enough"));
    expect(await connecting).toBeDefined();
  });
});
