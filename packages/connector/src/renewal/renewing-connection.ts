import {
  type ClientNotification,
  type CloseReason,
  type ConnectionEndpoint,
  type ConnectionEvent,
  type ConnectionRequestOptions,
  type ConnectRequest,
  type Judgement,
  type McpConnection,
  RequestFailure,
  type ServerDescription,
  type ServerNotification,
  type Unsubscribe,
} from "@mcp-pool/core";
import { ListenerSet } from "./listener-set.ts";
import { OpenSession } from "./open-session.ts";

/** Opens a session; it has the form of a connector's `connect`. */
export type OpenConnection = (request: ConnectRequest) => Promise<McpConnection>;

/**
 * A renewed session that is lost before this age, in milliseconds, is not renewed once more. A server that forgets
 * sessions that fast needs the pool's back-off between connects, which counts short lives.
 */
const SHORT_LIFE_MS = 1_000;

/** How long a former session may go on with what is on it, in milliseconds. */
const DRAIN_MS = 300_000;

/** Requests that leave something behind in the session that served them. */
const SESSION_METHODS: ReadonlySet<string> = new Set([
  "resources/subscribe",
  "resources/unsubscribe",
  "logging/setLevel",
]);

/**
 * A connection whose session is renewed in place when the server has forgotten it: a new one is opened and takes over,
 * the old one closes when its calls have settled, and the calls that it refused are sent once more. All callers share
 * one renewal. It knows connections only, and no SDK.
 */
export class RenewingConnection implements McpConnection {
  readonly era: McpConnection["era"];
  readonly suggestedConcurrency: number;
  readonly #open: OpenConnection;
  readonly #request: ConnectRequest;
  readonly #controller = new AbortController();
  readonly #former = new Set<OpenSession>();
  readonly #notificationListeners = new ListenerSet<ServerNotification>();
  readonly #closedListeners = new ListenerSet<Error | undefined>();
  readonly #eventListeners = new ListenerSet<ConnectionEvent>();
  #session: OpenSession;
  #renewal: Promise<void> | undefined;
  /** Whether a failure has had the pool retire the connection: another one takes its place, so no session is due here. */
  #isRetired = false;
  #lost: { readonly cause: Error | undefined } | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param connection the first session
   * @param request how it was opened, and so how the next ones are
   */
  constructor(connection: McpConnection, request: ConnectRequest, open: OpenConnection) {
    this.era = connection.era;
    this.suggestedConcurrency = connection.suggestedConcurrency;
    this.#open = open;
    this.#request = request;
    this.#session = new OpenSession(connection, false);
    this.#listen(this.#session);
  }

  get raw(): unknown {
    return this.#session.connection.raw;
  }

  get server(): ServerDescription {
    return this.#session.connection.server;
  }

  get endpoint(): ConnectionEndpoint {
    return this.#session.connection.endpoint;
  }

  async request(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: ConnectionRequestOptions,
  ): Promise<unknown> {
    const send = (session: OpenSession) => session.send(method, params, options);
    if (this.#renewal !== undefined) await within(this.#renewal, options.signal);
    const session = this.#session;
    try {
      const result = await send(session);
      if (session === this.#session || !SESSION_METHODS.has(method)) return result;
      // What it left behind went with the session.
      return await send(this.#session);
    } catch (error) {
      await this.#afterLoss(session, error, options.signal);
      return send(this.#session);
    }
  }

  /** A server that has forgotten the session says so to a notification in its own way only, so a probe finds out. */
  async sendNotification(notification: ClientNotification, signal: AbortSignal): Promise<void> {
    if (this.#renewal !== undefined) await within(this.#renewal, signal);
    const session = this.#session;
    try {
      await session.connection.sendNotification?.(notification, signal);
    } catch (error) {
      await this.probe(signal);
      if (session === this.#session) throw error;
      await this.#session.connection.sendNotification?.(notification, signal);
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    if (this.#renewal !== undefined) await within(this.#renewal, signal);
    const session = this.#session;
    try {
      await session.probe(signal);
    } catch (error) {
      await this.#afterLoss(session, error, signal);
      await this.#session.probe(signal);
    }
  }

  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe {
    return this.#notificationListeners.add(listener);
  }

  onClosed(listener: (cause: Error | undefined) => void): Unsubscribe {
    if (this.#lost === undefined) return this.#closedListeners.add(listener);
    listener(this.#lost.cause);
    return () => {};
  }

  onEvent(listener: (event: ConnectionEvent) => void): Unsubscribe {
    return this.#eventListeners.add(listener);
  }

  close(reason: CloseReason): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#controller.abort(new Error("the connection is closed"));
    const renewal = this.#renewal;
    const sessions = [this.#session, ...this.#former];
    await Promise.all([renewal?.catch(() => {}), ...sessions.map((session) => session.close(reason))]);
  }

  /**
   * Resolves when a session is there that the refused request may be repeated on.
   * @throws the error itself where it says nothing of the session, or why there is no new session
   */
  async #afterLoss(session: OpenSession, error: unknown, signal: AbortSignal): Promise<void> {
    const judgement = error instanceof RequestFailure ? error.judgement : undefined;
    if (judgement === "not-sent" || judgement === "outcome-unknown") this.#isRetired = true;
    if (judgement !== "session-lost" || this.#closing !== undefined) throw error;
    if (session === this.#session) {
      if (this.#isRetired || isShortLived(session)) throw error;
      this.#renewal ??= this.#startRenewal(session);
    }
    if (this.#renewal !== undefined) await within(this.#renewal, signal);
  }

  #startRenewal(old: OpenSession): Promise<void> {
    const renewal = this.#renew(old).finally(() => {
      this.#renewal = undefined;
    });
    // Every caller who waits for it may have gone.
    renewal.catch(() => {});
    return renewal;
  }

  async #renew(old: OpenSession): Promise<void> {
    const { signal } = this.#controller;
    let connection: McpConnection;
    try {
      connection = await this.#open({ ...this.#request, signal });
    } catch (error) {
      throw this.#renewalFailure(error);
    }
    if (signal.aborted) {
      await connection.close("unneeded");
      throw this.#renewalFailure(signal.reason);
    }
    this.#session = new OpenSession(connection, true);
    this.#listen(this.#session);
    this.#former.add(old);
    old.whenEmpty(() => {
      const forget = () => this.#former.delete(old);
      old.close("lost").then(forget, forget);
    }, DRAIN_MS);
    this.#eventListeners.tell({ type: "session-renewed" });
  }

  /** Nothing of the refused request has run, whatever became of the renewal. */
  #renewalFailure(cause: unknown): RequestFailure {
    const { judgement, message, retryAfterMs } =
      cause instanceof RequestFailure ? cause : new RequestFailure("not-sent", String(cause));
    const kept: Judgement = judgement === "overloaded" || judgement === "unauthorised" ? judgement : "not-sent";
    const text = `the server has forgotten the session, and a new one could not be opened: ${message}`;
    if (kept === "not-sent") this.#isRetired = true;
    return new RequestFailure(kept, text, { cause, retryAfterMs });
  }

  #listen(session: OpenSession): void {
    const { connection, unsubscribes } = session;
    unsubscribes.push(connection.onNotification((notification) => this.#notificationListeners.tell(notification)));
    unsubscribes.push(connection.onClosed((cause) => this.#ended(session, cause)));
    const unsubscribe = connection.onEvent?.((event) => this.#eventListeners.tell(event));
    if (unsubscribe !== undefined) unsubscribes.push(unsubscribe);
  }

  /** A former session may end as it likes. */
  #ended(session: OpenSession, cause: Error | undefined): void {
    if (session !== this.#session || this.#closing !== undefined) return;
    this.#lost = { cause };
    this.#closedListeners.tell(cause);
    this.#closedListeners.clear();
  }
}

function isShortLived(session: OpenSession): boolean {
  return session.isRenewed && performance.now() - session.openedAt < SHORT_LIFE_MS;
}

/** Waits for a renewal, as long as the caller does. Nothing of its request is under way meanwhile. */
function within(renewal: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void =>
      reject(new RequestFailure("aborted", "aborted before it was sent again", { cause: signal.reason }));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    renewal.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
