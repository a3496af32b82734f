import type { Dispatcher } from "undici";
import { unpackedInto } from "./unpacked-body.ts";

/** A POST that is to be sent. */
export interface OutgoingPost {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How an answer begins. */
export interface AnswerHead {
  readonly status: number;
  /** By lower-case names; those that came more than once as a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Is told of an answer as it comes: of its head, the pieces of its body, and its end. None of it may throw. */
export interface AnswerSink {
  /** There is a socket, and the first byte is about to leave. Not told of a POST that fails before. */
  start(): void;
  head(head: AnswerHead): void;
  data(chunk: Buffer): void;
  end(): void;
  /** Told in place of the end; before the head, where there is no answer. */
  fail(error: Error): void;
}

/** Sends a POST, and returns what aborts it. Redirects are not followed. */
export type SendPost = (post: OutgoingPost, sink: AnswerSink) => (reason: Error) => void;

/** What fetch would send. */
const DEFAULT_HEADERS = { "accept-encoding": "gzip, br", "accept-language": "*", "user-agent": "undici" } as const;

/**
 * Sends POSTs without fetch, whose streams of the web take more of a processor than all the rest of a call: each one is a
 * chain of promises for each piece of a body.
 */
export function postOver(dispatcher: Dispatcher): SendPost {
  return ({ url, headers, body }, sink) => {
    const handler = new PostHandler(sink);
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: "POST",
        headers: { ...DEFAULT_HEADERS, ...stripped(headers) },
        body,
      },
      handler,
    );
    return (reason) => handler.abort(reason);
  };
}

/** Hands what undici tells on to a sink. */
class PostHandler implements Dispatcher.DispatchHandler {
  #sink: AnswerSink;
  #controller: Dispatcher.DispatchController | undefined;
  #abortReason: Error | undefined;
  #hasEnded = false;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** Nothing of a request is sent that is aborted before it has a socket. */
  abort(reason: Error): void {
    this.#abortReason = reason;
    if (this.#controller !== undefined) this.#controller.abort(reason);
    else this.#fail(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortReason !== undefined) controller.abort(this.#abortReason);
    else this.#sink.start();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: AnswerHead["headers"]): void {
    if (status < 200) return;
    this.#sink.head({ status, headers });
    const encoding = headers["content-encoding"];
    if (typeof encoding === "string") this.#sink = unpackedInto(this.#sink, encoding);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sink.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sink.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sink.fail(error);
  }
}

const OUTER_SPACE = /^[\t\n\r ]|[\t\n\r ]$/;

/** Strips values of white space, as fetch does: a token that was read from a file may end with a line feed. */
function stripped(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  let clean: Record<string, string> | undefined;
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (!OUTER_SPACE.test(value)) continue;
    clean ??= { ...headers };
    clean[name] = value.trim();
  }
  return clean ?? headers;
}
