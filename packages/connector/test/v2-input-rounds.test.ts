import type { ClientHandlers, McpConnection } from "@mcp-pool/core";
import type { Client } from "@modelcontextprotocol/client";
import { describe, expect, test } from "vitest";
import { eventually, failureOf, never, open, SLOW } from "./connecting.ts";
import { modern, openModern } from "./modern.ts";

const HANDLERS: ClientHandlers = { elicitation: () => ({ action: "accept", content: { value: "yes" } }) };

function ask(
  connection: McpConnection,
  tool: string,
  args: object,
  handlers?: ClientHandlers,
  signal = never(),
): Promise<unknown> {
  const params = { name: tool, arguments: args };
  return connection.request("tools/call", params, { signal, handlers });
}

describe("input that a server wants for a call", SLOW, () => {
  test("comes from the handlers of that very call, however many share the connection, and the state goes back as it came", async () => {
    const { server, connection } = await openModern();
    const calls = Array.from({ length: 30 }, (_, index) =>
      ask(
        connection,
        "ask",
        { question: `q${index}` },
        {
          elicitation: ({ message }, { serverName }) => {
            expect(serverName).toBe("test");
            return { action: "accept", content: { value: `${message} by ${index}` } };
          },
        },
      ),
    );
    const answers = await Promise.all(calls);
    expect(answers).toMatchObject(
      answers.map((_, index) => ({ content: [{ text: `answered q${index} by ${index}` }] })),
    );
    const states = Array.from({ length: 30 }, (_, index) => `state of q${index} ü "quoted"`);
    expect(server.backend.echoedStates.sort()).toEqual(states.sort());
    expect(server.backend.executions.get("ask")).toBe(30);
  });

  test("comes from the handlers on the SDK's client where the call has none", async () => {
    const { connector } = await modern();
    const handlers: ClientHandlers = { elicitation: () => ({ action: "accept", content: { value: "hers" } }) };
    const connection = await open(connector, { handlers });
    expect(await ask(connection, "ask", { question: "who?" })).toMatchObject({ content: [{ text: "answered hers" }] });
    const raw = connection.raw as Client;
    raw.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { value: "raw" } }));
    expect(await ask(connection, "ask", { question: "who?" })).toMatchObject({ content: [{ text: "answered raw" }] });
  });

  test("may be the state alone, which takes no handler", async () => {
    const { connection } = await openModern();
    expect(await ask(connection, "come-back", { rounds: 2 }, HANDLERS)).toMatchObject({
      content: [{ text: "came back 2 times" }],
    });
    expect(await ask(connection, "come-back", { rounds: 1 })).toMatchObject({
      content: [{ text: "came back 1 times" }],
    });
  });

  test("fails the call where nobody can give it, and the connection stays", async () => {
    const { connection } = await openModern();
    for (const handlers of [undefined, {}]) {
      const failure = await failureOf(ask(connection, "ask", { question: "anybody?" }, handlers));
      expect(failure).toMatchObject({ judgement: "answered", message: expect.stringMatching(/elicitation/) });
    }
    const broken: ClientHandlers = { elicitation: () => Promise.reject(new Error("no time")) };
    expect(await failureOf(ask(connection, "ask", { question: "?" }, broken))).toMatchObject({
      judgement: "answered",
      message: "no time",
    });
    expect(await ask(connection, "ask", { question: "now?" }, HANDLERS)).toMatchObject({
      content: [{ text: "answered yes" }],
    });
  });

  test("is not asked for without an end", async () => {
    const { server, connection } = await openModern();
    const failure = await failureOf(ask(connection, "ask-for-ever", {}, { roots: () => [] }));
    expect(failure).toMatchObject({ judgement: "answered", message: expect.stringContaining("10 rounds") });
    expect(server.requests.get("tools/call")).toBe(11);
  });

  test("is not waited for by a call that was aborted, and its handler is told", async () => {
    const { connection } = await openModern();
    const controller = new AbortController();
    let told: unknown;
    const waiting: ClientHandlers = {
      elicitation: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            told = signal.reason;
            reject(signal.reason);
          });
          controller.abort(new Error("enough"));
        }),
    };
    const failure = await failureOf(ask(connection, "ask", { question: "?" }, waiting, controller.signal));
    expect(failure).toMatchObject({ judgement: "aborted" });
    expect(told).toEqual(new Error("enough"));
  });

  test("leaves it open whether the call has run, if the next round cannot be sent", async () => {
    const { server, connection } = await openModern();
    const handlers: ClientHandlers = {
      elicitation: async () => {
        await server.stop();
        return { action: "accept", content: { value: "too late" } };
      },
    };
    const failure = await failureOf(ask(connection, "ask", { question: "?" }, handlers));
    expect(failure).toMatchObject({ judgement: "outcome-unknown" });
  });

  test("leaves it open whether the call has run, too, where the SDK's client goes through the rounds", async () => {
    const { server, connection } = await openModern();
    const failure = failureOf(ask(connection, "come-back", { rounds: 2 }));
    await eventually(() => server.requests.get("tools/call")).toBe(1);
    await server.stop();
    expect(await failure).toMatchObject({ judgement: "outcome-unknown" });
  });
});
