import { Acquisition } from "./acquisition.ts";
import { McpClient, type Requester } from "./client.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { watchConnection } from "./connection-watch.ts";
import type { Connector } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { McpConnectionError } from "./errors.ts";
import { idleTimeout } from "./idle-timeout.ts";
import { leakDetector } from "./leak-detector.ts";
import { Leases } from "./leases.ts";
import { maxLifetime } from "./max-lifetime.ts";
import { type PoolOptions, resolvePoolOptions } from "./options.ts";
import type { Admission, Connect, PoolPlugin, PoolRequest } from "./plugin.ts";
import { PluginHost } from "./plugin-host.ts";
import { ControlOfPool } from "./pool-control.ts";
import { createContext, type PoolEnvironment } from "./pool-environment.ts";
import { Recycler } from "./recycler.ts";
import { NO_OPTIONS, optionsError, withMeta } from "./request-options.ts";
import { RequestPath } from "./request-path.ts";
import { RequestRecords } from "./request-records.ts";
import { ResourceSubscriptions } from "./resource-subscriptions.ts";
import { SessionLogging } from "./session-logging.ts";
import { type PoolStats, poolStats } from "./stats.ts";
import { ToolList } from "./tool-list.ts";
import { closedError, expiryError, stickyLostError } from "./wait-errors.ts";
import { WarmUp } from "./warm-up.ts";

/** Options of a pool that stands alone, outside a manager. */
export interface McpConnectionPoolOptions extends PoolOptions {
  /** Name of the server, for errors, events and metrics. @default "default" */
  readonly name?: string | undefined;
}

/** Puts the parts of one pool together. */
export class PoolParts {
  readonly context: PoolContext;
  readonly path: RequestPath;
  readonly dispatcher: Dispatcher;
  readonly client: McpClient;
  readonly acquisition: Acquisition;
  readonly leases: Leases;
  readonly plugins: PluginHost;
  readonly warmUp: WarmUp;
  readonly subscriptions: ResourceSubscriptions;
  readonly tools: ToolList;
  readonly logging: SessionLogging;
  readonly recycler: Recycler;
  readonly records: RequestRecords;
  readonly ownsWheel: boolean;
  /** Called when nothing is left of the closed pool. */
  onEmpty: (() => void) | undefined;
  readonly #connect: Connect;

  constructor(
    connector: Connector,
    { name = "default", ...options }: McpConnectionPoolOptions,
    plugins: readonly PoolPlugin[],
    environment: PoolEnvironment,
  ) {
    this.context = createContext(name, connector, resolvePoolOptions(options), environment);
    this.ownsWheel = environment.wheel === undefined;
    const { context } = this;
    const admit = (asker: Admission) => this.plugins.admit(asker);
    this.dispatcher = new Dispatcher(context, (request) => this.#connect(request), {
      admit,
      expiryError: (waiter, expiry, cause) => expiryError(context, this.acquisition.counts, waiter, expiry, cause),
      sessionLostError: (key) => stickyLostError(context, key),
      closedError: () => closedError(context),
      onLeft: (waiter, error) =>
        this.acquisition.onFailed(error, waiter.waitedMs(context.clock.now()), waiter.terms.kind),
      onOpened: (entry, durationMs) => this.#onOpened(entry, durationMs),
      onOpenFailed: (error) => this.warmUp.onFailed(error),
      onStopped: (entry) => this.subscriptions.onStopped(entry),
      onEmpty: () => this.onEmpty?.(),
    });
    const { dispatcher } = this;
    dispatcher.growth.priority = environment.priority ?? 0;
    this.acquisition = new Acquisition(context, dispatcher, admit);
    this.records = new RequestRecords(context, (error, waitMs, kind) => this.acquisition.onFailed(error, waitMs, kind));
    this.recycler = new Recycler(context, dispatcher, (entry) => this.#requesterFor(entry));
    this.path = new RequestPath(context, dispatcher, this.recycler, {
      records: this.records,
      isCounting: environment.onActivity !== undefined,
      wait: (terms, join) => this.acquisition.wait(terms, join),
      onRefused: (error, waitMs) => this.records.stranded(error, waitMs),
      modernMeta: () => this.logging.meta,
    });
    this.leases = new Leases(context, dispatcher, this.recycler, {
      requestOnLease: (lease, method, params, own) => this.path.request(method, params, own, lease),
      onRefused: (call) => this.records.refused(call),
    });
    this.warmUp = new WarmUp(context, dispatcher);
    const { serverName, clock } = context;
    this.subscriptions = new ResourceSubscriptions({
      serverName,
      clock,
      onListenerFailed: (error) => context.events.emit({ type: "listener-failed", error }),
      subscribe: (uri) => this.#subscribe(uri),
      unsubscribe: (uri, entry) => this.#requesterFor(entry).request("resources/unsubscribe", { uri }),
    });
    this.client = new McpClient(this.path, {
      serverName,
      clock,
      get timeoutMs() {
        return context.options.requestTimeoutMs;
      },
      onRefused: (call) => this.records.refused(call),
    });
    this.tools = new ToolList(() => this.client.listTools(), {
      get ttlMs() {
        return context.options.toolListTtlMs;
      },
      clock,
      serverName,
    });
    this.logging = new SessionLogging(
      {
        serverName,
        entries: () => dispatcher.set,
        setLevel: (entry, level) => this.#requesterFor(entry).request("logging/setLevel", { level }),
        onFailed: (error) => context.events.emit({ type: "listener-failed", error }),
      },
      environment.loggingLevel,
    );
    // Last, since a plugin may look at the whole pool while it is installed.
    this.plugins = new PluginHost([...plugins, idleTimeout, maxLifetime, leakDetector], new ControlOfPool(this));
    this.#connect = this.plugins.wrapConnect((request) => context.connector.connect(request));
    this.path.wrap((innermost) => this.plugins.wrapRequest(innermost));
    environment.onActivity?.(() => this.records.underWay > 0 || this.subscriptions.size > 0);
    environment.onRequester?.(this.path);
    environment.onRefusals?.((call) => this.records.refused(call));
    environment.onClaimant?.(dispatcher.growth);
    // Not before: a plugin that throws while it is installed leaves no pool that anybody could close.
    context.server.limit.join(dispatcher);
  }

  stats(): PoolStats {
    const { set, growth, queue, closer, isClosed } = this.dispatcher;
    const { connecting } = growth;
    return poolStats({
      context: this.context,
      set,
      connecting,
      waiting: queue.size,
      leases: this.leases.held,
      roomPerConnection: growth.roomPerConnection ?? 1,
      recentFailures: closer.recentFailures,
      isClosed,
    });
  }

  /** Sends requests on one connection without claiming room on it. */
  #requesterFor(entry: ConnectionEntry): Requester {
    return {
      request: (method, params, options = NO_OPTIONS) => {
        const { clock, serverName, options: own } = this.context;
        const problem = optionsError(options, serverName);
        if (problem !== undefined) return Promise.reject(problem);
        if (options.signal?.aborted) return Promise.reject(options.signal.reason);
        const startedAt = clock.now();
        const deadlineAt = startedAt + (options.timeoutMs ?? own.requestTimeoutMs);
        const request: PoolRequest = {
          method,
          params: withMeta(params, options.meta),
          options,
          deadlineAt,
          attemptTimeoutMs: undefined,
          lease: undefined,
          connectionId: entry.id,
          avoid: undefined,
          isFreshWanted: false,
        };
        return this.path.send(entry, request, "of-lease", startedAt, 0, undefined);
      },
    };
  }

  async #subscribe(uri: string): Promise<ConnectionEntry> {
    const entry =
      this.acquisition.take() ??
      (await this.acquisition.wait({
        kind: "acquire",
        signal: undefined,
        limitAt: Infinity,
        stickyKey: undefined,
        asker: "lease",
        deliver: (granted) => granted,
      }));
    try {
      await this.#requesterFor(entry).request("resources/subscribe", { uri });
      return entry;
    } finally {
      this.dispatcher.release(entry);
    }
  }

  #onOpened(entry: ConnectionEntry, durationMs: number): void {
    const problem = watchConnection(entry, this.context, this.dispatcher, this);
    const { id: connectionId, endpoint, era, server } = entry;
    const from = { connectionId, endpoint, era, protocolVersion: server.protocolVersion };
    this.context.events.emit({ type: "connection-opened", ...from, durationMs });
    if (problem === undefined) {
      this.warmUp.onChange();
      this.subscriptions.onOpened();
      this.logging.onOpened(entry);
    } else {
      this.#onBroken(entry, problem);
    }
  }

  /** Like a failed connect, it fails the caller who waits for longest. */
  #onBroken(entry: ConnectionEntry, problem: McpConnectionError): void {
    const { queue, closer } = this.dispatcher;
    const { head } = queue;
    if (head !== undefined) queue.reject(head, problem);
    closer.close(entry, "lost", problem);
    this.warmUp.onFailed(problem);
  }
}
