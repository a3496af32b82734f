import type { Requester } from "./client.ts";
import { ConnectionEntry } from "./connection-entry.ts";
import { judgementOf, McpPoolError } from "./errors.ts";
import type { RequestOptions } from "./options.ts";
import type { HeldLease, PooledConnection, PoolRequest, RoomHold } from "./plugin.ts";

/** How often work begins anew when it loses its connection in the middle. */
const MAX_RESTARTS = 2;

/** What requests that belong together need of their pool. */
export interface OneConnectionHost {
  start(
    method: string,
    params: PoolRequest["params"],
    options: RequestOptions | undefined,
    lease: HeldLease | undefined,
    hold: RoomHold | undefined,
  ): Promise<unknown>;
  giveBack(entry: ConnectionEntry): void;
}

/**
 * Runs work whose requests belong together on one connection: the pages of a list, since a cursor may mean something to
 * the process that gave it only. The first request goes wherever there is room, and is repeated elsewhere like any other;
 * the later ones follow it. Work that loses its connection in the middle begins anew.
 */
export async function onOneConnection<T>(
  host: OneConnectionHost,
  work: (requester: Requester) => Promise<T>,
): Promise<T> {
  for (let restarts = 0; ; restarts++) {
    const held = new HeldConnection(host);
    try {
      return await work(held);
    } catch (error) {
      if (restarts === MAX_RESTARTS || !held.hasBegun || !isLoss(error)) throw error;
    } finally {
      held.release();
    }
  }
}

/** The room of the first request, kept for those that follow it. */
export class HeldConnection implements Requester, RoomHold, HeldLease {
  readonly id = 0;
  readonly acquiredAt = 0;
  readonly stack = undefined;
  readonly #host: OneConnectionHost;
  #entry: ConnectionEntry | undefined;
  #isReleased = false;

  constructor(host: OneConnectionHost) {
    this.#host = host;
  }

  get entry(): ConnectionEntry | undefined {
    return this.#isReleased ? undefined : this.#entry;
  }

  get connectionId(): number {
    return this.#entry?.id ?? 0;
  }

  /** Whether a request has succeeded. */
  get hasBegun(): boolean {
    return this.#entry !== undefined;
  }

  keep(entry: PooledConnection): boolean {
    if (this.#isReleased || this.#entry !== undefined || !(entry instanceof ConnectionEntry)) return false;
    this.#entry = entry;
    return true;
  }

  request(method: string, params: PoolRequest["params"], options?: RequestOptions): Promise<unknown> {
    return this.hasBegun
      ? this.#host.start(method, params, options, this, undefined)
      : this.#host.start(method, params, options, undefined, this);
  }

  release(): void {
    this.#isReleased = true;
    if (this.#entry !== undefined) this.#host.giveBack(this.#entry);
  }
}

/** Whether an error says that the connection is no longer there, rather than that the server does not want. */
function isLoss(error: unknown): boolean {
  switch (judgementOf(error)) {
    case "not-sent":
    case "outcome-unknown":
    case "session-lost":
      return true;
    case undefined:
      return McpPoolError.isInstance(error) && error.code === "CONNECTION_FAILED";
    default:
      return false;
  }
}
