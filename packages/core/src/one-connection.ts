import type { Requester } from "./client.ts";
import { ConnectionEntry } from "./connection-entry.ts";
import { judgementOf, McpPoolError } from "./errors.ts";
import { OneSession, type SessionHolder } from "./one-session.ts";
import type { RequestOptions } from "./options.ts";
import type { HeldLease, PooledConnection, PoolRequest, RoomHold } from "./plugin.ts";

/** How often work begins anew when it loses its connection in the middle. */
const MAX_RESTARTS = 2;

/** What requests that belong together need of their pool. */
export interface OneConnectionHost {
  readonly serverName: string;
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
 * the later ones follow it. Work that loses its connection in the middle, or its session there, begins anew.
 */
export async function onOneConnection<T>(
  host: OneConnectionHost,
  work: (requester: Requester) => Promise<T>,
): Promise<T> {
  return restarting(async (attempt) => {
    const held = new HeldConnection(host);
    attempt.isBegun = () => held.hasBegun;
    try {
      return await work(held);
    } finally {
      held.release();
    }
  });
}

/** Does the same on a connection that its caller holds, and that stays the same. */
export async function onHeldConnection<T>(
  requester: Requester,
  holder: SessionHolder,
  serverName: string,
  work: (requester: Requester) => Promise<T>,
): Promise<T> {
  return restarting(async (attempt) => {
    const session = new OneSession(serverName);
    let hasBegun = false;
    attempt.isBegun = () => hasBegun && holder.renewals !== renewals;
    const { renewals } = holder;
    session.begin(holder);
    const request: Requester["request"] = async (method, params, options) => {
      const send = () => requester.request(method, params, options);
      const result = await (hasBegun ? session.follow(send) : send());
      hasBegun = true;
      return result;
    };
    return work({ request });
  });
}

interface WorkAttempt {
  isBegun: () => boolean;
}

async function restarting<T>(work: (attempt: WorkAttempt) => Promise<T>): Promise<T> {
  for (let restarts = 0; ; restarts++) {
    const attempt: WorkAttempt = { isBegun: () => false };
    try {
      return await work(attempt);
    } catch (error) {
      if (restarts === MAX_RESTARTS || !attempt.isBegun() || !isLoss(error)) throw error;
    }
  }
}

/** The room of the first request, kept for those that follow it. */
export class HeldConnection implements Requester, RoomHold, HeldLease {
  readonly id = 0;
  readonly acquiredAt = 0;
  readonly stack = undefined;
  readonly #host: OneConnectionHost;
  readonly #session: OneSession;
  #entry: ConnectionEntry | undefined;
  #isReleased = false;

  constructor(host: OneConnectionHost) {
    this.#host = host;
    this.#session = new OneSession(host.serverName);
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

  begin(entry: PooledConnection): void {
    if (this.#entry === undefined && entry instanceof ConnectionEntry) this.#session.begin(entry);
  }

  keep(entry: PooledConnection): boolean {
    if (this.#isReleased || this.#entry !== undefined || !(entry instanceof ConnectionEntry)) return false;
    this.#entry = entry;
    return true;
  }

  request(method: string, params: PoolRequest["params"], options?: RequestOptions): Promise<unknown> {
    if (!this.hasBegun) return this.#host.start(method, params, options, undefined, this);
    return this.#session.follow(() => this.#host.start(method, params, options, this, undefined));
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
