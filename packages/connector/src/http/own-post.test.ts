import { Dispatcher } from "undici";
import { expect, test } from "vitest";
import { type AnswerSink, postOver } from "./own-post.ts";

const URL_OF_MCP = new URL("http://server.test/mcp?a=1");

/** Hands over what it is to send, for sockets that come when the test says so. */
class ScriptedDispatcher extends Dispatcher {
  options: Dispatcher.DispatchOptions | undefined;
  handler: Dispatcher.DispatchHandler | undefined;

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.options = options;
    this.handler = handler;
    return true;
  }
}

/** Notes what it is told. */
function noting(): { readonly sink: AnswerSink; readonly told: unknown[] } {
  const told: unknown[] = [];
  return {
    told,
    sink: {
      start: () => told.push("start"),
      head: ({ status }) => told.push(status),
      data: (chunk) => told.push(String(chunk)),
      end: () => told.push("end"),
      fail: (error) => told.push(error),
    },
  };
}

/** A request on a socket. */
function controllerNoting(aborts: unknown[]): Dispatcher.DispatchController {
  return {
    aborted: false,
    paused: false,
    reason: null,
    abort: (reason) => aborts.push(reason),
    pause: () => {},
    resume: () => {},
  };
}

test("a POST that is aborted before it has a socket fails at once, and is not sent when the socket comes", () => {
  const dispatcher = new ScriptedDispatcher();
  const { sink, told } = noting();
  const abort = postOver(dispatcher)({ url: URL_OF_MCP, headers: {}, body: "{}" }, sink);
  const reason = new Error("gave up");
  abort(reason);
  expect(told).toEqual([reason]);
  const aborts: unknown[] = [];
  const controller = controllerNoting(aborts);
  dispatcher.handler?.onRequestStart?.(controller, {});
  expect(aborts).toEqual([reason]);
  dispatcher.handler?.onResponseError?.(controller, reason);
  expect(told, "it fails once").toEqual([reason]);
});

test("a POST goes to the whole path, with headers that fetch would send and the caller's own", () => {
  const dispatcher = new ScriptedDispatcher();
  const { sink } = noting();
  postOver(dispatcher)({ url: URL_OF_MCP, headers: { "user-agent": "mine", "x-a": " b\n" }, body: "{}" }, sink);
  expect(dispatcher.options).toEqual({
    origin: "http://server.test",
    path: "/mcp?a=1",
    method: "POST",
    headers: { "accept-encoding": "gzip, br", "accept-language": "*", "user-agent": "mine", "x-a": "b" },
    body: "{}",
  });
});

test("heads of mere information are passed over", () => {
  const dispatcher = new ScriptedDispatcher();
  const { sink, told } = noting();
  postOver(dispatcher)({ url: URL_OF_MCP, headers: {}, body: "{}" }, sink);
  const { handler } = dispatcher;
  const controller = controllerNoting([]);
  handler?.onResponseStart?.(controller, 103, {});
  handler?.onResponseStart?.(controller, 200, {});
  handler?.onResponseData?.(controller, Buffer.from("a"));
  handler?.onResponseEnd?.(controller, {});
  expect(told).toEqual([200, "a", "end"]);
});

test("what fails before there is a socket has not started", () => {
  const dispatcher = new ScriptedDispatcher();
  const { sink, told } = noting();
  postOver(dispatcher)({ url: URL_OF_MCP, headers: {}, body: "{}" }, sink);
  const controller = controllerNoting([]);
  const error = new Error("refused");
  dispatcher.handler?.onResponseError?.(controller, error);
  expect(told).toEqual([error]);
  postOver(dispatcher)({ url: URL_OF_MCP, headers: {}, body: "{}" }, sink);
  dispatcher.handler?.onRequestStart?.(controller, {});
  expect(told).toEqual([error, "start"]);
});
