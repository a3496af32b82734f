import type { Requester } from "./client.ts";
import { McpClient } from "./client.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import { Timeout } from "./deadline-wheel.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { McpTimeoutError } from "./errors.ts";
import { LateSet } from "./late-collections.ts";
import { invoke } from "./opener.ts";
import type { ResolvedPoolOptions } from "./options.ts";

/** Gives connections back, and makes sure that an exclusive one carries nobody's state to the next holder. */
export class Recycler {
  readonly #context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #requesterFor: (entry: ConnectionEntry) => Requester;
  readonly #resets = new LateSet<() => void>();

  constructor(context: PoolContext, dispatcher: Dispatcher, requesterFor: (entry: ConnectionEntry) => Requester) {
    this.#context = context;
    this.#dispatcher = dispatcher;
    this.#requesterFor = requesterFor;
  }

  /** Gives one unit of room back, once the connection is fit for the next holder. A key's own connection keeps its state. */
  giveBack(entry: ConnectionEntry): void {
    const { options } = this.#context;
    if (options.onRelease === "reuse") this.#dispatcher.release(entry);
    else this.#giveBackAnew(entry, options);
  }

  #giveBackAnew(entry: ConnectionEntry, { sharing, onRelease }: ResolvedPoolOptions): void {
    if (sharing === "shared" || onRelease === "reuse" || entry.stickyKey !== undefined || !entry.isUsable) {
      this.#dispatcher.release(entry);
    } else if (onRelease === "close") {
      this.#dispatcher.closer.retire(entry, "on-release");
      this.#dispatcher.release(entry);
    } else {
      this.#reset(entry, onRelease);
    }
  }

  /** Ends what is still under way, now that all connections are closed. */
  end(): void {
    for (const end of this.#resets) end();
  }

  /** The connection stays claimed until the reset is done. One that fails, or takes too long, costs the connection. */
  #reset(entry: ConnectionEntry, reset: (client: McpClient) => Promise<void> | void): void {
    const { serverName, options, wheel, clock } = this.#context;
    const limitMs = options.connectionTimeoutMs;
    let isOver = false;
    const stop = () => end();
    const end = (cause?: unknown) => {
      if (isOver) return;
      isOver = true;
      this.#resets.delete(stop);
      wheel.remove(deadline);
      if (cause !== undefined) this.#dispatcher.closer.retire(entry, "on-release", cause);
      // No successor may meet a running call.
      else if (entry.attempts.size > 0) this.#dispatcher.closer.retire(entry, "abandoned");
      this.#dispatcher.release(entry);
    };
    const deadline = new Timeout(() => {
      const message = `the onRelease function for MCP server "${serverName}" did not end within ${limitMs} ms`;
      end(new McpTimeoutError(message, { serverName, phase: "request", outcome: "unknown" }));
    });
    wheel.set(deadline, clock.now() + limitMs);
    this.#resets.add(stop);
    invoke(reset, new McpClient(this.#requesterFor(entry), { serverName, timeoutMs: limitMs, clock })).then(
      stop,
      (cause: unknown) => end(cause ?? new Error("the onRelease function failed")),
    );
  }
}
