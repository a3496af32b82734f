import { type McpConnection, McpConnectionPool } from "@mcp-pool/core";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { inMemoryConnector } from "../src/in-memory/index.ts";
import { callTool, failureOf, open, SLOW } from "./connecting.ts";

interface Asked {
  readonly id: number;
  readonly transport: Transport;
  answer(result?: object): void;
}

/** A server that does in the tick of each tool call what the test says, and keeps what it was told. */
function serverThat(act: (asked: Asked) => void) {
  const heard: JSONRPCMessage[] = [];
  const connector = inMemoryConnector({
    server: () => ({
      async connect(transport) {
        transport.onmessage = (message) => {
          heard.push(message);
          if (!("id" in message) || !("method" in message)) return;
          const id = Number(message.id);
          const answer = (result: object = { content: [] }): void => {
            transport.send({ jsonrpc: "2.0", id: message.id, result: { ...result } }).catch(() => {});
          };
          if (message.method === "initialize") {
            const { protocolVersion } = message.params as { protocolVersion: string };
            answer({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } });
          } else if (message.method === "tools/call") act({ id, transport, answer });
          else answer({});
        };
        await transport.start();
      },
    }),
  });
  const cancelled = () =>
    heard.flatMap((message) =>
      "method" in message && message.method === "notifications/cancelled" ? [message.params?.requestId] : [],
    );
  return { connector, cancelled };
}

/** Starts a call without a promise, and notes how it ends. */
function start(connection: McpConnection, onProgress?: () => void) {
  const ends: unknown[] = [];
  const params = { name: "t", arguments: {} };
  const end = { onResult: (result: unknown) => ends.push(result), onFailure: (error: unknown) => ends.push(error) };
  const started = connection.startRequest?.("tools/call", params, { onProgress }, end);
  return { ends, abort: () => started?.abort(new Error("enough")) };
}

const turn = () => new Promise(setImmediate);

describe("a server that answers in the tick in which it is asked", SLOW, () => {
  test("may answer twice, with other ids, and after the end", async () => {
    const { connector, cancelled } = serverThat(({ id, transport, answer }) => {
      for (const odd of [-1, 2 ** 53, id + 0.5, id + 16, id - 16, `${id + 1}`, "x", id + 2 ** 32]) {
        transport.send({ jsonrpc: "2.0", id: odd, result: { odd } }).catch(() => {});
      }
      answer({ content: [], first: true });
      answer({ content: [], first: false });
      const params = { progressToken: id, progress: 1 };
      transport.send({ jsonrpc: "2.0", method: "notifications/progress", params }).catch(() => {});
    });
    const connection = await open(connector);
    let reports = 0;
    for (let call = 0; call < 40; call++) {
      const { ends, abort } = start(connection, () => reports++);
      abort();
      expect(ends).toEqual([{ content: [], first: true }]);
    }
    await turn();
    expect([reports, cancelled()]).toEqual([0, []]);
  });

  test("may close while it is asked: nobody knows whether it ran", async () => {
    const { connector } = serverThat(({ transport }) => void transport.close());
    const connection = await open(connector);
    const { ends } = start(connection);
    expect(ends).toMatchObject([{ judgement: "outcome-unknown" }]);
    expect(start(connection).ends).toMatchObject([{ judgement: "not-sent" }]);
    await turn();
    expect(ends).toHaveLength(1);
  });

  test("may throw while it is asked, before or after its answer", async () => {
    let isAnswering = true;
    const { connector } = serverThat(({ answer }) => {
      if (isAnswering) answer();
      throw new Error("thrown");
    });
    const connection = await open(connector);
    const answered = start(connection);
    isAnswering = false;
    const thrown = start(connection);
    await turn();
    expect(answered.ends).toEqual([{ content: [] }]);
    expect(thrown.ends).toMatchObject([{ judgement: "outcome-unknown", message: "thrown" }]);
  });

  test("is told once of a caller who goes while it is asked, and its late answer frees the room", async () => {
    const controllers: AbortController[] = [];
    const late: (() => void)[] = [];
    const { connector, cancelled } = serverThat(({ answer }) => {
      controllers.at(-1)?.abort(new Error("enough"));
      late.push(answer);
    });
    const pool = new McpConnectionPool(connector, { minConnections: 0, maxConnections: 1 });
    onTestFinished(() => pool.close());
    for (let call = 0; call < 3; call++) {
      const controller = new AbortController();
      controllers.push(controller);
      const failure = await failureOf(pool.request("tools/call", { name: "t" }, { signal: controller.signal }));
      expect(failure).toBe(controller.signal.reason);
    }
    await turn();
    expect([pool.stats().inFlight, new Set(cancelled()).size, cancelled().length]).toEqual([3, 3, 3]);
    for (const answer of late) answer();
    await turn();
    expect([pool.stats().inFlight, cancelled().length]).toEqual([0, 3]);
  });

  test("cannot be asked what cannot be read, which says nothing of the connection", async () => {
    const { connector } = serverThat(({ answer }) => answer());
    const connection = await open(connector);
    const ends: unknown[] = [];
    const params = {
      name: "t",
      get arguments() {
        throw new Error("unreadable");
      },
    };
    const end = { onResult: (result: unknown) => ends.push(result), onFailure: (error: unknown) => ends.push(error) };
    connection.startRequest?.("tools/call", params, { onProgress: () => {} }, end);
    await turn();
    expect(ends).toMatchObject([{ judgement: "answered", cause: { message: "unreadable" } }]);
    const { signal } = new AbortController();
    const failure = await failureOf(connection.request("tools/call", params, { signal, onProgress: () => {} }));
    expect(failure).toMatchObject({ judgement: "answered" });
    expect(await callTool(connection, "t")).toEqual({ content: [] });
  });
});
