import { RequestFailure, type ServerNotification, type Unsubscribe } from "@mcp-pool/core";
import {
  type Client,
  type McpSubscription,
  ProtocolError,
  type SubscriptionFilter,
} from "@modelcontextprotocol/client";
import { whileWanted } from "../while-wanted.ts";

/** Bounds of the pause before a broken stream is opened again, in milliseconds. */
export interface ListenBackoff {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
}

/** How a {@link SubscriptionHub} listens. */
export interface ListenSettings {
  /** Whether changes of lists are listened for; those of resources are for as long as somebody subscribes to one. */
  readonly listen: boolean;
  readonly listenBackoff: ListenBackoff;
}

/** A connection that hears what its server announces. */
export interface Borrower {
  readonly client: Client;
  onNotification(listener: (notification: ServerNotification) => void): Unsubscribe;
  /** Hands it a notification that came over another connection, or never came. */
  deliver(notification: ServerNotification): void;
}

/** One borrower's side of a {@link SubscriptionHub}. */
export interface ResourceSubscriber {
  /** @throws {RequestFailure} */
  subscribe(uri: string, signal: AbortSignal): Promise<object>;
  unsubscribe(uri: string): Promise<object>;
  leave(): void;
}

interface Stream {
  readonly borrower: Borrower;
  /** What was asked for, as text. */
  readonly asked: string;
  readonly subscription: McpSubscription;
  readonly openedAt: number;
  readonly unlisten: Unsubscribe;
}

const ACKNOWLEDGE_MS = 30_000;
const METHOD_NOT_FOUND = -32_601;
const RESOURCE_UPDATED = "notifications/resources/updated";

const LIST_CHANGES = {
  toolsListChanged: "notifications/tools/list_changed",
  promptsListChanged: "notifications/prompts/list_changed",
  resourcesListChanged: "notifications/resources/list_changed",
} as const;

const CHANGES: ReadonlySet<string> = new Set([RESOURCE_UPDATED, ...Object.values(LIST_CHANGES)]);

/**
 * Keeps one `subscriptions/listen` stream for all connections of one authorization context to one server, and hands what
 * comes over it to all of them. A stream that breaks is opened again; what may have been missed meanwhile is announced
 * as changed.
 */
export class SubscriptionHub {
  /** The connections, and who asked for which resources on each. The first one carries the stream. */
  readonly #borrowers = new Map<Borrower, Map<string, Set<symbol>>>();
  readonly #listensForLists: boolean;
  readonly #backoff: ListenBackoff;
  readonly #onEmpty: () => void;
  #stream: Stream | undefined;
  /** What was announced since then may have been missed. */
  #hasGap = false;
  #isUnsupported = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Counts what changes the stream that is wanted. */
  #wanted = 0;
  #settling: Promise<void> | undefined;

  constructor({ listen, listenBackoff }: ListenSettings, onEmpty: () => void = () => {}) {
    this.#listensForLists = listen;
    this.#backoff = listenBackoff;
    this.#onEmpty = onEmpty;
  }

  join(borrower: Borrower): ResourceSubscriber {
    this.#borrowers.set(borrower, new Map());
    if (this.#borrowers.size === 1) void this.#change();
    return {
      subscribe: (uri, signal) => this.#subscribe(borrower, uri, signal),
      unsubscribe: async (uri) => {
        if (this.#borrowers.get(borrower)?.delete(uri)) void this.#change();
        return {};
      },
      leave: () => this.#leave(borrower),
    };
  }

  #leave(borrower: Borrower): void {
    const uris = this.#borrowers.get(borrower);
    if (uris === undefined) return;
    this.#borrowers.delete(borrower);
    if (this.#stream?.borrower === borrower) this.#dropStream();
    else if (uris.size > 0) void this.#change();
    if (this.#borrowers.size > 0) {
      if (this.#stream === undefined) void this.#change();
      return;
    }
    clearTimeout(this.#timer);
    this.#onEmpty();
  }

  async #subscribe(borrower: Borrower, uri: string, signal: AbortSignal): Promise<object> {
    const uris = this.#borrowers.get(borrower);
    if (uris === undefined) throw new RequestFailure("not-sent", "the connection is closed");
    const asker = Symbol(uri);
    const askers = uris.get(uri) ?? new Set();
    uris.set(uri, askers.add(asker));
    try {
      await whileWanted(this.#change(), signal);
      if (this.#stream?.subscription.honoredFilter.resourceSubscriptions?.includes(uri)) return {};
      throw new RequestFailure("answered", "the server does not announce changes of this resource");
    } catch (error) {
      askers.delete(asker);
      this.#tidy(uris, uri);
      if (error instanceof RequestFailure) throw error;
      const judgement = error instanceof ProtocolError ? "answered" : "not-sent";
      const why = error instanceof Error ? error.message : String(error);
      throw new RequestFailure(judgement, `listening failed: ${why}`, { cause: error });
    }
  }

  /** Forgets a resource that nobody asks for any more: whoever did waits no longer, or was refused. */
  #tidy(uris: Map<string, ReadonlySet<symbol>>, uri: string): void {
    // Without an entry, somebody has unsubscribed meanwhile.
    if (uris.get(uri)?.size !== 0) return;
    uris.delete(uri);
    // A stream that could not be opened is due later already.
    if (this.#settling !== undefined || this.#stream !== undefined) void this.#change();
  }

  /** Brings the stream in line with what is wanted now. */
  #change(): Promise<void> {
    this.#wanted++;
    return this.#settle();
  }

  #settle(): Promise<void> {
    clearTimeout(this.#timer);
    this.#settling ??= this.#catchUp().finally(() => {
      this.#settling = undefined;
    });
    // Whoever does not wait for it has no use for the failure: it is tried again.
    this.#settling.catch(() => {});
    return this.#settling;
  }

  async #catchUp(): Promise<void> {
    for (let done = -1; done !== this.#wanted; ) {
      done = this.#wanted;
      const [borrower] = this.#borrowers.keys();
      const filter = borrower === undefined ? {} : this.#filterFor(borrower);
      if (borrower === undefined || Object.keys(filter).length === 0) this.#closeStream();
      else if (!this.#isOpen(borrower, filter)) await this.#open(borrower, filter);
    }
  }

  #isOpen(borrower: Borrower, filter: SubscriptionFilter): boolean {
    return this.#stream?.borrower === borrower && this.#stream.asked === JSON.stringify(filter);
  }

  async #open(borrower: Borrower, filter: SubscriptionFilter): Promise<void> {
    let subscription: McpSubscription;
    try {
      subscription = await borrower.client.listen(filter, { timeout: ACKNOWLEDGE_MS });
    } catch (error) {
      if (!this.#borrowers.has(borrower)) return;
      this.#isUnsupported = error instanceof ProtocolError && error.code === METHOD_NOT_FOUND;
      if (!this.#isUnsupported) this.#reopenLater();
      throw error;
    }
    if (!this.#borrowers.has(borrower)) return;
    this.#closeStream();
    // Before the stream's own notifications are passed on, or these would be told twice.
    if (this.#hasGap) this.#announceGap(subscription.honoredFilter);
    this.#hasGap = false;
    const unlisten = borrower.onNotification((notification) => this.#fanOut(borrower, notification));
    const asked = JSON.stringify(filter);
    const stream = { borrower, asked, subscription, unlisten, openedAt: performance.now() };
    this.#stream = stream;
    void subscription.closed.then(() => this.#ended(stream));
  }

  #ended(stream: Stream): void {
    if (this.#stream !== stream) return;
    this.#dropStream();
    // A server that grants nothing ends the stream at once.
    if (Object.keys(stream.subscription.honoredFilter).length === 0) return;
    if (performance.now() - stream.openedAt > this.#backoff.maxDelayMs) this.#failures = 0;
    this.#reopenLater();
  }

  /** Many clients may have lost the same server, so they don't come back at one time. */
  #reopenLater(): void {
    if (this.#borrowers.size === 0) return;
    const { initialDelayMs, maxDelayMs } = this.#backoff;
    const boundMs = Math.min(maxDelayMs, initialDelayMs * 2 ** Math.min(this.#failures++, 30));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#change(), boundMs * (0.5 + Math.random() / 2));
    this.#timer.unref();
  }

  #dropStream(): void {
    this.#stream?.unlisten();
    this.#stream = undefined;
    this.#hasGap = true;
  }

  #closeStream(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.unlisten();
    // It never rejects, and nothing depends on when it is done.
    void stream?.subscription.close();
  }

  #filterFor({ client }: Borrower): SubscriptionFilter {
    if (this.#isUnsupported) return {};
    const { tools, prompts, resources } = (this.#listensForLists && client.getServerCapabilities()) || {};
    const uris = [...new Set([...this.#borrowers.values()].flatMap((each) => [...each.keys()]))];
    return {
      ...(tools?.listChanged && { toolsListChanged: true }),
      ...(prompts?.listChanged && { promptsListChanged: true }),
      ...(resources?.listChanged && { resourcesListChanged: true }),
      ...(uris.length > 0 && { resourceSubscriptions: uris }),
    };
  }

  #fanOut(from: Borrower | undefined, notification: ServerNotification): void {
    const { method, params } = notification;
    if (!CHANGES.has(method)) return;
    for (const [borrower, uris] of this.#borrowers) {
      const isConcerned = method !== RESOURCE_UPDATED || uris.has(String(params?.uri));
      if (borrower !== from && isConcerned) borrower.deliver(notification);
    }
  }

  #announceGap(honored: SubscriptionFilter): void {
    for (const [key, method] of Object.entries(LIST_CHANGES)) {
      if (honored[key as keyof typeof LIST_CHANGES]) this.#fanOut(undefined, { method });
    }
    for (const uri of honored.resourceSubscriptions ?? []) {
      this.#fanOut(undefined, { method: RESOURCE_UPDATED, params: { uri } });
    }
  }
}
