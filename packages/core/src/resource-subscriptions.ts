import type { Clock, Timer } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { McpValidationError } from "./errors.ts";
import { LateMap } from "./late-collections.ts";

/** How long a subscription that could not be restored waits for the next attempt, in milliseconds: at first, and at most. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** One change of a resource, as a subscriber is told. */
export interface ResourceUpdate {
  /** The resource, or a part of it. */
  readonly uri: string;
  /** Whether the subscription was restored after a loss, so that changes may have been missed; it need not have changed. */
  readonly isRestored: boolean;
}

/** What a subscriber may ask for. */
export interface SubscribeOptions {
  /** Called at each change. Give the same function to end this very subscription. */
  readonly onUpdated?: ((update: ResourceUpdate) => void) | undefined;
}

/** One caller who wants a subscription. */
interface Caller {
  readonly onUpdated: SubscribeOptions["onUpdated"];
}

interface Subscription {
  readonly uri: string;
  readonly callers: Set<Caller>;
  /** Whether it was in force before. */
  wasInForce: boolean;
  entry: ConnectionEntry | undefined;
  /** The subscribe or unsubscribe under way; the next one waits for it. */
  pending: Promise<unknown>;
  /** Steps under way or waiting for their turn. */
  steps: number;
  /** Attempts in vain since it was last in force, and the timer of the next one. */
  failures: number;
  retry: Timer | undefined;
}

/** Sends what subscriptions need. */
export interface SubscriptionHost {
  readonly serverName: string;
  readonly clock: Clock;
  onListenerFailed(error: unknown): void;
  /** Subscribes on any connection and resolves with the one that it was. */
  subscribe(uri: string): Promise<ConnectionEntry>;
  unsubscribe(uri: string, entry: ConnectionEntry): Promise<unknown>;
}

/** Keeps resource subscriptions: one per resource however many callers want it, and again on a new connection after a loss. */
export class ResourceSubscriptions {
  readonly #host: SubscriptionHost;
  readonly #byUri = new LateMap<string, Subscription>();
  #isCleared = false;

  constructor(host: SubscriptionHost) {
    this.#host = host;
  }

  /** Resources that somebody wants to hear of, or that are not unsubscribed yet. */
  get size(): number {
    return this.#byUri.size;
  }

  /**
   * Subscribes to a resource, or counts one more caller.
   * @throws {McpValidationError} when the address is no string, or empty
   */
  async add(uri: string, { onUpdated }: SubscribeOptions = {}): Promise<void> {
    this.#check(uri, "resources/subscribe");
    const subscription = this.#byUri.get(uri) ?? newSubscription(uri);
    this.#byUri.set(uri, subscription);
    const caller: Caller = { onUpdated };
    subscription.callers.add(caller);
    try {
      await this.#settle(subscription);
    } catch (error) {
      // Whoever was refused wants it no more; an unsubscribe may have taken this one back already.
      subscription.callers.delete(caller);
      this.#tidy(subscription);
      throw error;
    }
  }

  /** Ends one caller's subscription, that of the function if one is given; the last one ends it on the server. */
  async remove(uri: string, { onUpdated }: SubscribeOptions = {}): Promise<void> {
    this.#check(uri, "resources/unsubscribe");
    const subscription = this.#byUri.get(uri);
    if (subscription === undefined) return;
    const callers = [...subscription.callers];
    const exact = callers.find((caller) => caller.onUpdated === onUpdated);
    const own = onUpdated === undefined ? (exact ?? callers[0]) : exact;
    if (own === undefined) return;
    subscription.callers.delete(own);
    await this.#settle(subscription);
  }

  /** Tells those who subscribed on this connection to what has changed. */
  onUpdated(entry: ConnectionEntry, params: Readonly<Record<string, unknown>> | undefined): void {
    const uri = params?.uri;
    if (typeof uri !== "string") return;
    for (const subscription of [...this.#byUri.values()]) {
      const isHere = subscription.entry === entry || subscription.entry === undefined;
      if (isHere && isPartOf(uri, subscription.uri)) this.#tell(subscription, { uri, isRestored: false });
    }
  }

  /** Restores what lived on a connection, or on a session of it that is gone: on any connection, which is opened if need be. */
  onStopped(entry: ConnectionEntry): void {
    for (const subscription of this.#byUri.values()) {
      if (subscription.entry !== entry) continue;
      subscription.entry = undefined;
      entry.pins--;
      this.#restore(subscription);
    }
  }

  /** Tries again what could not be restored so far. */
  onOpened(): void {
    for (const subscription of this.#byUri.values()) {
      if (subscription.entry === undefined && subscription.steps === 0) this.#restore(subscription);
    }
  }

  /** Forgets everything; the connections are being closed. */
  clear(): void {
    this.#isCleared = true;
    for (const { retry } of this.#byUri.values()) retry?.cancel();
    this.#byUri.clear();
  }

  #restore(subscription: Subscription): void {
    this.#settle(subscription).catch(() => {});
  }

  /** Brings the server in line with what is wanted now, one step at a time. */
  #settle(subscription: Subscription): Promise<void> {
    subscription.steps++;
    const settled = subscription.pending
      .then(() => this.#step(subscription))
      .finally(() => {
        subscription.steps--;
        this.#tidy(subscription);
      });
    subscription.pending = settled.catch(() => {});
    return settled;
  }

  async #step(subscription: Subscription): Promise<void> {
    const { uri, entry, callers } = subscription;
    const isWanted = callers.size > 0;
    if (isWanted && entry === undefined) {
      const own = await this.#host.subscribe(uri);
      // It may have died since it answered; then nobody will say so again.
      if (!own.isUsable) return;
      own.pins++;
      subscription.entry = own;
      subscription.failures = 0;
      if (subscription.wasInForce) this.#tell(subscription, { uri, isRestored: true });
      subscription.wasInForce = true;
    } else if (!isWanted && entry !== undefined) {
      subscription.entry = undefined;
      subscription.wasInForce = false;
      entry.pins--;
      if (entry.isUsable) await this.#host.unsubscribe(uri, entry);
    }
  }

  #tell({ callers }: Subscription, update: ResourceUpdate): void {
    for (const { onUpdated } of [...callers]) {
      try {
        onUpdated?.(update);
      } catch (error) {
        this.#host.onListenerFailed(error);
      }
    }
  }

  /** Forgets what nobody wants, and has what is wanted tried again later. Does nothing while a step is under way. */
  #tidy(subscription: Subscription): void {
    const { uri, callers, entry, steps } = subscription;
    if (steps > 0 || this.#isCleared) return;
    subscription.retry?.cancel();
    subscription.retry = undefined;
    if (entry !== undefined) return;
    if (callers.size > 0) this.#retryLater(subscription);
    else if (this.#byUri.get(uri) === subscription) this.#byUri.delete(uri);
  }

  #retryLater(subscription: Subscription): void {
    const { clock } = this.#host;
    const delayMs = Math.min(RETRY_MS * 2 ** Math.min(subscription.failures++, 30), MAX_RETRY_MS);
    const onDue = () => {
      subscription.retry = undefined;
      this.#restore(subscription);
    };
    subscription.retry = clock.setTimer(onDue, delayMs * (0.5 + 0.5 * clock.random()));
    subscription.retry.unref();
  }

  #check(uri: unknown, method: string): void {
    if (typeof uri === "string" && uri !== "") return;
    const { serverName } = this.#host;
    const problem = `must be a non-empty string, got ${uri === "" ? "an empty string" : typeof uri}`;
    const message = `invalid parameters of ${method} for MCP server "${serverName}", so it was not sent: uri ${problem}`;
    throw new McpValidationError(message, { serverName, issues: [{ path: "uri", message: problem }] });
  }
}

/** A server may announce a part of what was subscribed to (2025-11-25, `notifications/resources/updated`). */
function isPartOf(uri: string, whole: string): boolean {
  return uri === whole || uri.startsWith(whole.endsWith("/") ? whole : `${whole}/`);
}

function newSubscription(uri: string): Subscription {
  return {
    uri,
    callers: new Set(),
    wasInForce: false,
    entry: undefined,
    pending: Promise.resolve(),
    steps: 0,
    failures: 0,
    retry: undefined,
  };
}
