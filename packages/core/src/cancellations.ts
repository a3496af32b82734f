import type { Checker } from "./checker.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import { Timeout } from "./deadline-wheel.ts";
import { LateSet } from "./late-collections.ts";
import { invoke } from "./opener.ts";
import type { PoolRequest } from "./plugin.ts";
import { targetOf } from "./request-errors.ts";

/** Time for the late answer of a cancelled request, before its silence means something, in milliseconds. */
export const CANCELLED_MS = 1_000;

/** Time for the answer to a question whether the server goes on reading, in milliseconds; as for any probe. */
const ASK_MS = 5_000;

/** Kinds of requests that are remembered to be answered all the same. */
const MAX_KINDS = 1_000;

/**
 * Finds out whether a server has read that a request is cancelled. It "SHOULD NOT" answer from then on (2025-11-25,
 * cancellation), so that silence means that it has ended the request. Who answers all the same went on working, and is
 * not believed in this kind of request any more.
 */
export class Cancellations {
  readonly #context: PoolContext;
  readonly #checker: Checker;
  readonly #asked = new LateSet<ConnectionEntry>();

  constructor(context: PoolContext, checker: Checker) {
    this.#context = context;
    this.#checker = checker;
  }

  /** Whether the silence of a server after a cancellation says nothing, as far as this kind of request goes. */
  isIgnored(request: PoolRequest): boolean {
    return this.#context.server.answeredLate.has(kindOf(request));
  }

  /** Takes note of an answer that was sent although the cancellation had been read. */
  ignored(request: PoolRequest): void {
    const { answeredLate } = this.#context.server;
    answeredLate.add(kindOf(request));
    const [oldest] = answeredLate;
    if (oldest !== undefined && answeredLate.size > MAX_KINDS) answeredLate.delete(oldest);
  }

  /** Asks the server something that it answers when it has read all that was sent before; once at a time on a connection. */
  ask(entry: ConnectionEntry): void {
    if (this.#asked.has(entry) || !entry.isUsable) return;
    this.#asked.add(entry);
    const { clock, wheel } = this.#context;
    const askedAt = clock.now();
    const controller = new AbortController();
    const over = () => {
      wheel.remove(deadline);
      this.#asked.delete(entry);
    };
    const deadline = new Timeout(() => {
      over();
      controller.abort(new Error("a cancellation was not taken notice of in time"));
    });
    wheel.set(deadline, askedAt + ASK_MS);
    invoke(() => this.#checker.probe(entry, controller.signal)).then(() => {
      over();
      entry.readUpTo = Math.max(entry.readUpTo, askedAt);
      for (const attempt of [...entry.attempts]) attempt.onRead();
    }, over);
  }
}

function kindOf(request: PoolRequest): string {
  return `${request.method} ${targetOf(request) ?? ""}`;
}
