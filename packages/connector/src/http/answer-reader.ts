import { RequestFailure } from "@mcp-pool/core";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { EventReader } from "./event-reader.ts";
import { messageOf } from "./message-of.ts";
import type { AnswerHead, AnswerSink } from "./own-post.ts";
import { legOf, type Post, type ResponseLeg, rpcErrorOf } from "./post.ts";

/** What reading answers takes. */
export interface AnswerReaderOptions {
  /** The session the request is sent in. */
  readonly sessionId: string | undefined;
  /** Takes each message as it arrives. */
  readonly deliver: (message: JSONRPCMessage) => void;
  /** Is told of what is no message. */
  readonly report: (error: Error) => void;
  /** Longest answer, or event of a stream, that is taken, unpacked. */
  readonly maxMessageBytes: number;
  /** Whether the SDK's transport would resume a stream whose events have ids. */
  readonly mayResume: () => boolean;
}

/** Tells the SDK's transport that there is nothing left for it to read. */
const DELIVERED = Object.defineProperty(
  new Response(null, { headers: { "content-type": "application/json" } }),
  "json",
  {
    value: async () => [],
  },
);

/** Statuses whose responses have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Reads the answer to one POST of a request, and hands its messages on as they arrive. Only what it cannot deal with goes
 * to the SDK's transport: refusals, and event streams that are to be resumed.
 */
export class AnswerReader implements AnswerSink {
  /** What the SDK's transport gets. Rejects when there is no answer, or half of one. */
  readonly response: Promise<Response>;

  readonly #post: Post;
  readonly #options: AnswerReaderOptions;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Whether there was more than is taken; what still comes, since it had arrived, is dropped. */
  #isOver = false;
  #resolve: (response: Response) => void = () => {};
  #reject: (error: Error) => void = () => {};
  #head: AnswerHead | undefined;
  #leg: ResponseLeg | undefined;
  #events: EventReader | undefined;

  constructor(post: Post, options: AnswerReaderOptions) {
    this.#post = post;
    this.#options = options;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(): void {
    this.#post.request.sent = true;
  }

  head(head: AnswerHead): void {
    const { status, headers } = head;
    this.#head = head;
    this.#leg = legOf(status, (name) => headerOf(headers, name), this.#options.sessionId);
    this.#post.leg = this.#leg;
    if (isOk(status) && this.#leg.mediaType === "text/event-stream") {
      this.#post.isStreaming = true;
      const { deliver, report, maxMessageBytes } = this.#options;
      const overflow = (): void => this.#overflow();
      const eventId = (id: string): void => {
        this.#post.lastEventId = id;
      };
      this.#events = new EventReader(maxMessageBytes, { message: deliver, eventId, error: report, overflow });
    }
  }

  data(chunk: Buffer): void {
    if (this.#events === undefined) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#options.maxMessageBytes) this.#overflow();
      else this.#chunks.push(chunk);
      return;
    }
    this.#events.read(chunk);
    // The server may keep the stream open, and may have more to say.
    if (!this.#post.request.isOpen) this.#resolve(DELIVERED);
  }

  end(): void {
    if (this.#events !== undefined) {
      this.#streamEnded(this.#events);
      return;
    }
    try {
      this.#resolve(this.#whole(new TextDecoder().decode(joined(this.#chunks))));
    } catch (error) {
      this.#reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  fail(error: Error): void {
    if (this.#events === undefined) this.#reject(error);
    else this.#streamEnded(this.#events);
  }

  /** A few kilobytes may unpack to more than there is memory for. What the status of a refusal says stands. */
  #overflow(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chunks = [];
    const { request, abortLeg } = this.#post;
    const message = `the server sent an answer of more than ${this.#options.maxMessageBytes} bytes`;
    if (isOk(this.#head?.status ?? 0)) request.fail(new RequestFailure("outcome-unknown", message));
    abortLeg?.(new Error(message));
  }

  /** Deals with a whole body. */
  #whole(text: string): Response {
    const { status = 0, headers = {} } = this.#head ?? {};
    if (isOk(status) && this.#leg?.mediaType === "application/json") {
      const value: unknown = JSON.parse(text);
      const messages = Array.isArray(value) ? value.map((each) => messageOf(each)) : [messageOf(value)];
      for (const message of messages) this.#options.deliver(message);
      return DELIVERED;
    }
    if (this.#leg !== undefined && status >= 400) this.#post.leg = { ...this.#leg, rpcError: rpcErrorOf(text) };
    const all = new Headers();
    for (const [name, value = []] of Object.entries(headers)) {
      for (const each of Array.isArray(value) ? value : [value]) all.append(name, each);
    }
    return new Response(BODILESS.has(status) ? null : text, { status, headers: all });
  }

  #streamEnded({ retryMs }: EventReader): void {
    const { request, lastEventId } = this.#post;
    this.#post.isStreaming = false;
    if (!request.isOpen) {
      this.#resolve(DELIVERED);
    } else if (lastEventId !== undefined && this.#options.mayResume()) {
      this.#post.isReadBySdk = true;
      this.#resolve(endedStream(lastEventId, retryMs));
    } else {
      request.fail(new RequestFailure("outcome-unknown", "the response stream ended without an answer"));
      this.#resolve(DELIVERED);
    }
  }
}

/** An event stream that ends where the real one did, so that the SDK's transport resumes it from there. */
function endedStream(lastEventId: string, retryMs: number | undefined): Response {
  const retry = retryMs === undefined ? "" : `retry: ${retryMs}\n`;
  return new Response(`id: ${lastEventId}\n${retry}data:\n\n`, { headers: { "content-type": "text/event-stream" } });
}

/** Whether an answer holds messages; 202 says that there are none. */
function isOk(status: number): boolean {
  return status >= 200 && status < 300 && status !== 202;
}

function headerOf(headers: AnswerHead["headers"], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
