import type { ConnectionEntry } from "./connection-entry.ts";

interface Subscription {
  readonly uri: string;
  /** How many callers want it. */
  count: number;
  entry: ConnectionEntry | undefined;
  /** The subscribe or unsubscribe under way; the next one waits for it. */
  pending: Promise<unknown>;
}

/** Sends what subscriptions need. */
export interface SubscriptionHost {
  /** Subscribes on any connection and resolves with the one that it was. */
  subscribe(uri: string): Promise<ConnectionEntry | undefined>;
  unsubscribe(uri: string, entry: ConnectionEntry): Promise<unknown>;
}

/** Keeps resource subscriptions: one per resource however many callers want it, and again on a new connection after a loss. */
export class ResourceSubscriptions {
  readonly #host: SubscriptionHost;
  readonly #byUri = new Map<string, Subscription>();

  constructor(host: SubscriptionHost) {
    this.#host = host;
  }

  /** Subscribes to a resource, or counts one more caller. */
  async add(uri: string): Promise<void> {
    let subscription = this.#byUri.get(uri);
    if (subscription === undefined) {
      subscription = { uri, count: 0, entry: undefined, pending: Promise.resolve() };
      this.#byUri.set(uri, subscription);
    }
    subscription.count++;
    try {
      await this.#settle(subscription);
    } catch (error) {
      this.#drop(subscription);
      throw error;
    }
  }

  /** Ends one caller's subscription; the last one ends it on the server. */
  async remove(uri: string): Promise<void> {
    const subscription = this.#byUri.get(uri);
    if (subscription === undefined) return;
    this.#drop(subscription);
    await this.#settle(subscription);
  }

  /** Moves what lived on a connection to another one, which is opened for it if need be. */
  onStopped(entry: ConnectionEntry): void {
    for (const subscription of this.#byUri.values()) {
      if (subscription.entry !== entry) continue;
      subscription.entry = undefined;
      entry.pins--;
      this.#settle(subscription).catch(() => {});
    }
  }

  /** Tries again what could not be restored so far. */
  onOpened(): void {
    for (const subscription of this.#byUri.values()) {
      if (subscription.entry === undefined) this.#settle(subscription).catch(() => {});
    }
  }

  /** Forgets everything; the connections are being closed. */
  clear(): void {
    this.#byUri.clear();
  }

  #drop(subscription: Subscription): void {
    if (--subscription.count === 0) this.#byUri.delete(subscription.uri);
  }

  /** Brings the server in line with what is wanted now, one step at a time. */
  #settle(subscription: Subscription): Promise<void> {
    const step = async () => {
      const { uri, entry } = subscription;
      const isWanted = subscription.count > 0 && this.#byUri.get(uri) === subscription;
      if (isWanted && entry === undefined) {
        subscription.entry = await this.#host.subscribe(uri);
        if (subscription.entry !== undefined) subscription.entry.pins++;
      } else if (!isWanted && entry !== undefined) {
        subscription.entry = undefined;
        entry.pins--;
        if (entry.isUsable) await this.#host.unsubscribe(uri, entry);
      }
    };
    const settled = subscription.pending.then(step);
    subscription.pending = settled.catch(() => {});
    return settled;
  }
}
