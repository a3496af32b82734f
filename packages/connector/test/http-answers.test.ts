import type { ServerResponse } from "node:http";
import { brotliCompressSync, constants, createGzip, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HttpConnectorOptions, httpConnector } from "../src/http/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { callTool, eventually, failureOf, never, open, SLOW } from "./connecting.ts";
import { answerTo, eventOf, json, type RawCall, resultOf, startRawServer } from "./raw-http-server.ts";

const EVENTS = { "content-type": "text/event-stream" };
const NOTE = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "hello" } };

/** The ways on which an answer reaches a caller. */
const ways: Readonly<Record<string, Partial<HttpConnectorOptions>>> = {
  "the 1.x SDK": {},
  "the 2.x SDK": { sdk: sdkV2() },
  "a fetch of the user's": { fetch: (url, init) => fetch(url, init) },
};

describe.each(Object.entries(ways))("over HTTP with %s, an answer arrives", SLOW, (_, options) => {
  async function connected(onCall: (call: RawCall) => unknown) {
    return open(httpConnector({ url: await startRawServer({ onCall }), ...options }));
  }

  test("in pieces that end anywhere, in the middle of a character too", async () => {
    const connection = await connected(async ({ id, response }) => {
      response.writeHead(200, EVENTS);
      const bytes = Buffer.from(eventOf(answerTo(id, "Grüße 🎉")));
      for (let start = 0; start < bytes.length; start += 3) {
        await new Promise<unknown>((resolve) => response.write(bytes.subarray(start, start + 3), resolve));
      }
      response.end();
    });
    expect(await callTool(connection, "x")).toEqual(resultOf("Grüße 🎉"));
  });

  test.each([
    ["a byte order mark", (id: unknown) => `\uFEFF${eventOf(answerTo(id, "fine"))}`],
    ["lines that end as in other systems", (id: unknown) => eventOf(answerTo(id, "fine")).replaceAll("\n", "\r\n")],
    [
      "comments, unknown fields and other events",
      (id: unknown) => `: begun\n\nx: y\n\nevent: ping\ndata: {}\n\ndata:\n\n${eventOf(answerTo(id, "fine"))}`,
    ],
    [
      "data on several lines",
      (id: unknown) => `data: ${JSON.stringify(answerTo(id, "fine"), undefined, 1).replaceAll("\n", "\ndata: ")}\n\n`,
    ],
    ["events that are no messages", (id: unknown) => `data: {\n\ndata: [1]\n\n${eventOf(answerTo(id, "fine"))}`],
  ])("in a stream with %s", async (_what, stream) => {
    const connection = await connected(({ id, response }) => response.writeHead(200, EVENTS).end(stream(id)));
    expect(await callTool(connection, "x")).toEqual(resultOf("fine"));
  });

  test("after notifications, each of which comes at once", async () => {
    let goOn: () => void = () => {};
    const connection = await connected(({ id, params, response }) => {
      const progressToken = params._meta?.progressToken;
      const progress = { jsonrpc: "2.0", method: "notifications/progress", params: { progressToken, progress: 1 } };
      response.writeHead(200, EVENTS).write(eventOf(NOTE) + eventOf(progress));
      goOn = () => response.end(eventOf(answerTo(id, "done")));
    });
    const heard: string[] = [];
    connection.onNotification(({ method }) => heard.push(method));
    const reports: unknown[] = [];
    const call = connection.request(
      "tools/call",
      { name: "x" },
      { signal: never(), onProgress: (report) => reports.push(report) },
    );
    // The server goes on only when both have been heard.
    await eventually(() => [heard, reports]).toEqual([["notifications/message"], [{ progress: 1 }]]);
    goOn();
    expect(await call).toEqual(resultOf("done"));
  });

  test("in a stream that the server keeps open, and on which it speaks on", async () => {
    const responses: ServerResponse[] = [];
    const connection = await connected(({ id, response }) => {
      responses.push(response);
      response.writeHead(200, EVENTS).write(eventOf(answerTo(id, "early")));
    });
    const heard: string[] = [];
    connection.onNotification(({ method }) => heard.push(method));
    expect(await callTool(connection, "x")).toEqual(resultOf("early"));
    responses[0]?.write(eventOf(NOTE));
    await eventually(() => heard).toEqual(["notifications/message"]);
    const ended = new Promise((resolve) => responses[0]?.once("close", resolve));
    await connection.close("idle");
    await ended;
  });

  test("in one JSON document with what was said before it", async () => {
    const connection = await connected(({ id, response }) => json(response, [NOTE, answerTo(id, "batched")]));
    const heard: string[] = [];
    connection.onNotification(({ method }) => heard.push(method));
    expect(await callTool(connection, "x")).toEqual(resultOf("batched"));
    expect(heard).toEqual(["notifications/message"]);
  });

  test("packed, by gzip or Brotli, as a document or as a stream that pauses", async () => {
    const packed = (call: RawCall): unknown => {
      const { id, params, response } = call;
      const body = JSON.stringify(answerTo(id, params.name));
      const type = { "content-type": "application/json" };
      if (params.name === "gzip")
        return response.writeHead(200, { ...type, "content-encoding": "gzip" }).end(gzipSync(body));
      if (params.name === "br")
        return response.writeHead(200, { ...type, "content-encoding": "br" }).end(brotliCompressSync(body));
      if (params.name === "unheard-of")
        return response.writeHead(200, { ...type, "content-encoding": "x-none" }).end(body);
      const gzip = createGzip();
      gzip.pipe(response.writeHead(200, { ...EVENTS, "content-encoding": "gzip" }));
      gzip.write(eventOf(NOTE));
      gzip.flush();
      goOn = () => gzip.end(eventOf(answerTo(id, params.name)));
      return gzip;
    };
    let goOn: () => void = () => {};
    const connection = await connected(packed);
    for (const how of ["gzip", "br", "unheard-of"]) expect(await callTool(connection, how)).toEqual(resultOf(how));
    const heard: string[] = [];
    connection.onNotification(({ method }) => heard.push(method));
    const call = callTool(connection, "stream");
    await eventually(() => heard).toEqual(["notifications/message"]);
    goOn();
    expect(await call).toEqual(resultOf("stream"));
  });

  test("of ten megabytes", async () => {
    const long = "ä".repeat(5_000_000);
    const connection = await connected(({ id, params, response }) => {
      const answer = answerTo(id, long);
      if (params.name === "json") json(response, answer);
      else response.writeHead(200, EVENTS).end(eventOf(answer));
    });
    for (const name of ["json", "stream"]) expect(await callTool(connection, name)).toEqual(resultOf(long));
  });

  test("behind an early hint", async () => {
    const connection = await connected(({ id, response }) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      json(response, answerTo(id, "hinted"));
    });
    expect(await callTool(connection, "x")).toEqual(resultOf("hinted"));
  });

  test("from where a redirect within the origin leads", async () => {
    const connection = await connected(({ id, request, response }) => {
      if (request.url === "/mcp") return response.writeHead(307, { location: "/moved?to=here" }).end();
      return json(response, answerTo(id, String(request.url)));
    });
    expect(await callTool(connection, "x")).toEqual(resultOf("/moved?to=here"));
  });

  test("too late for a caller who gave up", async () => {
    let answer: () => void = () => {};
    const connection = await connected(({ id, response }) => {
      response.writeHead(200, EVENTS).flushHeaders();
      answer = () => response.end(eventOf(answerTo(id, "late")));
    });
    const controller = new AbortController();
    const begun = answer;
    const call = failureOf(callTool(connection, "x", {}, controller.signal));
    await eventually(() => answer !== begun).toBe(true);
    controller.abort();
    const failure = await call;
    expect(failure).toMatchObject({ judgement: "aborted" });
    answer();
    await failure.lateAnswer;
  });
});

describe("over HTTP, a stream that ends before the answer", SLOW, () => {
  test.each(Object.entries(ways))("is resumed with %s when the server wants it to be", async (_, options) => {
    let callId: unknown;
    const lastEventIds: unknown[] = [];
    const url = await startRawServer({
      onCall({ id, response }) {
        callId = id;
        response.writeHead(200, EVENTS).end("id: first\nretry: 20\ndata:\n\n");
      },
      onGet({ headers }, response) {
        if (headers["last-event-id"] === undefined) return response.writeHead(405).end();
        lastEventIds.push(headers["last-event-id"]);
        return response.writeHead(200, EVENTS).end(eventOf(answerTo(callId, "resumed")));
      },
    });
    // Long enough for the test to time out if the server's own delay were not taken.
    const connection = await open(
      httpConnector({
        url,
        reconnection: { initialReconnectionDelay: 120_000, maxReconnectionDelay: 120_000 },
        ...options,
      }),
    );
    expect(await callTool(connection, "x")).toEqual(resultOf("resumed"));
    expect(lastEventIds).toEqual(["first"]);
  });

  test.each(Object.entries(ways))("fails its call with %s when nothing is to be resumed", async (_, options) => {
    const url = await startRawServer({
      onCall: ({ response }) => response.writeHead(200, EVENTS).end("id: first\ndata:\n\n"),
    });
    const connection = await open(httpConnector({ url, reconnection: { maxRetries: 0 }, ...options }));
    expect(await failureOf(callTool(connection, "x"))).toMatchObject({
      judgement: "outcome-unknown",
      message: "the response stream ended without an answer",
    });
  });
});

describe("over HTTP, a call", SLOW, () => {
  test("is never sent whose caller gave up while the headers were being fetched", async () => {
    const called: string[] = [];
    let supply: ((headers: Record<string, string>) => void) | undefined;
    let isSlow = false;
    const url = await startRawServer({
      onCall({ id, params, response }) {
        called.push(params.name);
        json(response, answerTo(id, "fine"));
      },
    });
    const headers = async (): Promise<Record<string, string>> => {
      if (!isSlow) return {};
      return new Promise((resolve) => {
        supply = resolve;
      });
    };
    const connection = await open(httpConnector({ url, headers }));
    isSlow = true;
    const controller = new AbortController();
    const call = failureOf(callTool(connection, "given-up", {}, controller.signal));
    await eventually(() => supply).toBeDefined();
    controller.abort();
    expect(await call).toMatchObject({ judgement: "aborted", lateAnswer: undefined });
    isSlow = false;
    supply?.({});
    await callTool(connection, "next");
    expect(called).toEqual(["next"]);
  });

  test("is answered though the connection breaks right after the packed answer", async () => {
    const url = await startRawServer({
      onCall({ id, response }) {
        const packed = gzipSync(eventOf(answerTo(id, "fine")), { finishFlush: constants.Z_SYNC_FLUSH });
        response.writeHead(200, { ...EVENTS, "content-encoding": "gzip" }).write(packed, () => response.destroy());
      },
    });
    const connection = await open(httpConnector({ url }));
    expect(await callTool(connection, "x")).toEqual(resultOf("fine"));
  });

  test("carries headers without the white space around their values", async () => {
    const seen: unknown[] = [];
    const url = await startRawServer({
      onCall({ id, request, response }) {
        seen.push(request.headers.authorization);
        json(response, answerTo(id, "fine"));
      },
    });
    const connection = await open(httpConnector({ url, headers: { authorization: " Bearer from-a-file\n" } }));
    await callTool(connection, "x");
    expect(seen).toEqual(["Bearer from-a-file"]);
  });

  test("is answered though a listener throws", async () => {
    const url = await startRawServer({
      onCall: ({ id, response }) => response.writeHead(200, EVENTS).end(eventOf(NOTE) + eventOf(answerTo(id, "fine"))),
    });
    const connection = await open(httpConnector({ url }));
    onTestFinished(
      connection.onNotification(() => {
        throw new Error("a listener that throws");
      }),
    );
    expect(await callTool(connection, "x")).toEqual(resultOf("fine"));
  });
});
