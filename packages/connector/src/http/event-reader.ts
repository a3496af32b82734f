import { StringDecoder } from "node:string_decoder";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { createParser, type EventSourceParser } from "eventsource-parser";
import { messageOf } from "./message-of.ts";

/** Who is told of what an event stream brings. */
export interface EventListener {
  message(message: JSONRPCMessage): void;
  /** The id of an event, from which on the stream can be resumed. */
  eventId(id: string): void;
  /** Something that is no message, or a listener that threw. */
  error(error: Error): void;
  /** An event has become too long; the reader is of no use from then on. */
  overflow(): void;
}

/** Reads the messages off an event stream. */
export class EventReader {
  /** How long the server wants clients to wait before they resume a stream, in milliseconds. */
  retryMs: number | undefined;
  readonly #decoder = new StringDecoder("utf8");
  readonly #parser: EventSourceParser;
  #isFirst = true;
  #isOver = false;

  constructor(maxEventBytes: number, listener: EventListener) {
    this.#parser = createParser({
      maxBufferSize: maxEventBytes,
      onError: ({ type }) => {
        if (type !== "max-buffer-size-exceeded") return;
        this.#isOver = true;
        listener.overflow();
      },
      onEvent({ id, event, data }) {
        if (id) listener.eventId(id);
        if (data === "" || (event !== undefined && event !== "message")) return;
        try {
          listener.message(messageOf(JSON.parse(data)));
        } catch (error) {
          listener.error(error instanceof Error ? error : new Error(String(error)));
        }
      },
      onRetry: (retryMs) => {
        this.retryMs = retryMs;
      },
    });
  }

  read(chunk: Buffer): void {
    if (this.#isOver) return;
    let text = this.#decoder.write(chunk);
    if (this.#isFirst && text !== "") {
      this.#isFirst = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    this.#parser.feed(text);
  }
}
