import { createGzip } from "node:zlib";
import { describe, expect, test } from "vitest";
import { httpConnector } from "../src/http/index.ts";
import type { OAuthProvider } from "../src/http/oauth-authoriser.ts";
import { callTool, eventually, failureOf, never, open, SLOW } from "./connecting.ts";
import { answerTo, eventOf, json, type RawCall, resultOf, startRawServer } from "./raw-http-server.ts";

const EVENTS = { "content-type": "text/event-stream" };
const JSON_TYPE = { "content-type": "application/json" };

/** An OAuth provider whose tokens are there already. */
function providerOf(tokens: () => { access_token: string; token_type: string }): OAuthProvider {
  return {
    redirectUrl: "http://127.0.0.1/",
    clientMetadata: { redirect_uris: [] },
    clientInformation: () => undefined,
    tokens,
    saveTokens() {},
    redirectToAuthorization() {},
    saveCodeVerifier() {},
    codeVerifier: () => "",
  };
}

describe("over HTTP, a call", SLOW, () => {
  test("notes the one cookie that its answer sets", async () => {
    const seen: unknown[] = [];
    const url = await startRawServer({
      onCall({ id, request, response }) {
        seen.push(request.headers.cookie);
        response.setHeader("set-cookie", "replica=two; Path=/");
        json(response, answerTo(id, "fine"));
      },
    });
    const connection = await open(httpConnector({ url }));
    await callTool(connection, "x");
    await callTool(connection, "x");
    expect(seen).toEqual([undefined, "replica=two"]);
  });

  test.each([
    ["expect", "100-continue"],
    ["keep-alive", "timeout=5"],
    ["upgrade", "h2c"],
  ])("is sent without the header %s, which is the transport's own", async (name, value) => {
    const seen: unknown[] = [];
    const url = await startRawServer({
      onCall({ id, request, response }) {
        seen.push(request.headers[name]);
        json(response, answerTo(id, "fine"));
      },
    });
    const connection = await open(httpConnector({ url, headers: { [name]: value } }));
    await connection.request("tools/call", { name: "x" }, { signal: never(), headers: { [name]: value } });
    expect(seen).toEqual([undefined]);
  });

  test("is not sent whose header is none", async () => {
    let calls = 0;
    const url = await startRawServer({ onCall: ({ response }) => response.end(calls++) });
    const connection = await open(httpConnector({ url }));
    const headers = { "x-secret": "first\nsecond" };
    const failure = await failureOf(connection.request("tools/call", { name: "x" }, { signal: never(), headers }));
    expect(failure).toMatchObject({ judgement: "not-sent", message: expect.not.stringContaining("second") });
    expect(calls).toBe(0);
  });

  test("has the credentials renewed by a refusal in another language", async () => {
    const url = await startRawServer({
      onCall({ id, request, response }) {
        if (request.headers.authorization === "new") json(response, answerTo(id, "fine"));
        else response.socket?.end("HTTP/1.1 401 未授权\r\ncontent-length: 0\r\n\r\n");
      },
    });
    let isRenewed = false;
    const connection = await open(
      httpConnector({
        url,
        headers({ isRefused }) {
          isRenewed ||= isRefused;
          return { authorization: isRenewed ? "new" : "old" };
        },
      }),
    );
    expect(await callTool(connection, "x")).toEqual(resultOf("fine"));
  });

  test("is answered though what hears of errors throws", async () => {
    const url = await startRawServer({
      onCall({ id, response }) {
        const gzip = createGzip();
        gzip.pipe(response.writeHead(200, { ...EVENTS, "content-encoding": "gzip" }));
        gzip.end(`data: {\n\n${eventOf(answerTo(id, "fine"))}`);
      },
    });
    const connection = await open(httpConnector({ url }));
    const client = connection.raw as { onerror?: () => void };
    client.onerror = () => {
      throw new Error("a listener that throws");
    };
    expect(await callTool(connection, "x")).toEqual(resultOf("fine"));
  });
});

describe("a token that the OAuth provider cannot supply", SLOW, () => {
  const bad: Readonly<Record<string, () => { access_token: string; token_type: string }>> = {
    "because it throws": () => {
      throw new Error("the keychain is locked");
    },
    "because it is no header": () => ({ access_token: "first\nsecond", token_type: "Bearer" }),
  };
  test.each(Object.entries(bad))("fails calls and connects as unauthorised, %s", async (_, supply) => {
    let calls = 0;
    const url = await startRawServer({ onCall: ({ response }) => response.end(calls++) });
    let tokens = (): { access_token: string; token_type: string } => ({ access_token: "good", token_type: "Bearer" });
    const connector = httpConnector({ url, authProvider: providerOf(() => tokens()) });
    const connection = await open(connector);
    tokens = supply;
    for (const failing of [callTool(connection, "x"), open(connector)]) {
      const failure = await failureOf(failing);
      expect(failure).toMatchObject({ judgement: "unauthorised", message: expect.not.stringContaining("second") });
    }
    expect(calls).toBe(0);
  });
});

describe("an answer that is longer than what is taken", SLOW, () => {
  const ways: Readonly<Record<string, (call: RawCall) => unknown>> = {
    "in JSON": ({ id, response }) => json(response, answerTo(id, "x".repeat(200_000))),
    "in a stream": ({ id, response }) =>
      response.writeHead(200, EVENTS).end(eventOf(answerTo(id, "x".repeat(200_000)))),
    "in JSON that is packed and goes on": (call) => goOnFor(call, JSON_TYPE, '"'),
    "in a stream that is packed and goes on": (call) => goOnFor(call, EVENTS, "data: "),
    "in a stream, in many lines": (call) => goOnFor(call, EVENTS, "data:\ndata:", "\ndata:"),
  };
  test.each(Object.entries(ways))("ends the call, and its socket, %s", async (_, onCall) => {
    const closed: Promise<unknown>[] = [];
    const url = await startRawServer({
      onCall(call) {
        if (call.params.name === "short") return json(call.response, answerTo(call.id, "fine"));
        closed.push(new Promise((resolve) => call.response.once("close", resolve)));
        return onCall(call);
      },
    });
    const connection = await open(httpConnector({ url, maxMessageBytes: 100_000 }));
    expect(await failureOf(callTool(connection, "long"))).toMatchObject({
      judgement: "outcome-unknown",
      message: "the server sent an answer of more than 100000 bytes",
    });
    await Promise.all(closed);
    expect(await callTool(connection, "short")).toEqual(resultOf("fine"));
  });

  test("is judged by its status where that is a refusal", async () => {
    const url = await startRawServer({
      onCall: ({ response }) => response.writeHead(503).end("x".repeat(200_000)),
    });
    const connection = await open(httpConnector({ url, maxMessageBytes: 100_000 }));
    expect(await failureOf(callTool(connection, "x"))).toMatchObject({ judgement: "overloaded", httpStatus: 503 });
  });
});

test("over HTTP, streams that the server never ends do not take ever more sockets", SLOW, async () => {
  const streams = new Set<RawCall>();
  const url = await startRawServer({
    onCall(call) {
      streams.add(call);
      call.response.once("close", () => streams.delete(call));
      call.response.writeHead(200, EVENTS).write(eventOf(answerTo(call.id, "fine")));
    },
  });
  const connection = await open(httpConnector({ url }));
  for (let count = 0; count < 80; count++) expect(await callTool(connection, "x")).toEqual(resultOf("fine"));
  await eventually(() => streams.size).toBe(64);
});

/** Sends a packed body that has no end. */
function goOnFor({ response }: RawCall, type: Record<string, string>, start: string, more = "x".repeat(10_000)): void {
  const gzip = createGzip();
  gzip.pipe(response.writeHead(200, { ...type, "content-encoding": "gzip" }));
  gzip.write(start);
  const goOn = (): void => {
    if (response.closed) gzip.destroy();
    else gzip.write(more.repeat(Math.ceil(10_000 / more.length)), () => gzip.flush(() => setImmediate(goOn)));
  };
  goOn();
}
