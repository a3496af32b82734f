import { unwatchAbort, watchAbort } from "./abort-watch.ts";
import type { Clock } from "./clock.ts";
import { McpTimeoutError } from "./errors.ts";
import type { ListToolsResult } from "./protocol.ts";

/** Sets up a {@link ToolList}. */
export interface ToolListSettings {
  /** How long a list is served from the cache, in milliseconds. */
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Name of the server, for messages. */
  readonly serverName?: string | undefined;
}

/** Bounds one caller's wait for a list of tools. */
export interface ToolListWaitOptions {
  /** Ends the wait; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the wait in milliseconds. @default as long as the fetch takes */
  readonly timeoutMs?: number | undefined;
}

/**
 * Caches the tools of a server, and fetches them at most once at a time for all callers.
 *
 * A list fetched across an invalidation goes to those who asked before it, and is not kept. Those who ask after it share
 * one newer fetch, which starts when the running one ends: a server that keeps announcing changes is not flooded.
 * A failed fetch is not kept either.
 */
export class ToolList {
  readonly #fetch: () => Promise<ListToolsResult>;
  readonly #settings: ToolListSettings;
  #cached: { readonly list: ListToolsResult; readonly expiresAt: number } | undefined;
  #running: Promise<ListToolsResult> | undefined;
  /** Whether the list was invalidated since the running fetch began. */
  #isStale = false;
  /** The fetch that starts when the running one ends. */
  #next: Promise<ListToolsResult> | undefined;
  #version: string | undefined;
  /** Open connections whose servers tell of changes. */
  #listening = 0;

  /** @param fetch lists every tool; it must end by itself, as the pool's request timeout makes sure */
  constructor(fetch: () => Promise<ListToolsResult>, settings: ToolListSettings) {
    this.#fetch = fetch;
    this.#settings = settings;
  }

  /**
   * Resolves with the tools, from the cache if it is fresh. All callers share the list, so it and its array are frozen.
   * An abort or the time limit ends this caller's wait only, never the fetch.
   * @throws the signal's reason, {@link McpTimeoutError}, or what the fetch failed with
   */
  get(options: ToolListWaitOptions = {}): Promise<ListToolsResult> {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    if (this.#cached !== undefined && this.#settings.clock.now() < this.#cached.expiresAt) {
      return Promise.resolve(this.#cached.list);
    }
    return this.#wait(this.#join(), options);
  }

  /** Forgets the list, and what a running fetch will bring. */
  invalidate(): void {
    this.#cached = undefined;
    this.#isStale = true;
  }

  /** Forgets the list if the server is another, or of another version, than at the last call; `key` is `name@version`. */
  ensureVersion(key: string): void {
    if (this.#version !== undefined && this.#version !== key) this.invalidate();
    this.#version = key;
  }

  /**
   * Takes note of a connection on which changes are announced, until the returned function is called. Changes made while
   * there was none were missed, so that a list from before is forgotten.
   */
  listen(): () => void {
    if (this.#listening === 0) this.#cached = undefined;
    this.#listening++;
    let isOver = false;
    return () => {
      if (!isOver) this.#listening--;
      isOver = true;
    };
  }

  #join(): Promise<ListToolsResult> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    if (!this.#isStale) return this.#running;
    const start = () => this.#start();
    this.#next = this.#running.then(start, start);
    return this.#next;
  }

  #start(): Promise<ListToolsResult> {
    this.#next = undefined;
    this.#isStale = false;
    // Inside `new Promise`, so that a synchronous throw too arrives after `#running` is set.
    this.#running = new Promise<ListToolsResult>((resolve) => resolve(this.#fetch()))
      .then((result) => this.#keep(result))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  #keep({ tools }: ListToolsResult): ListToolsResult {
    const { clock, ttlMs } = this.#settings;
    // A copy, since an in-memory server may hand out its own array.
    const list = Object.freeze({ tools: Object.freeze([...tools]) });
    if (!this.#isStale) this.#cached = { list, expiresAt: clock.now() + ttlMs };
    return list;
  }

  #wait(
    list: Promise<ListToolsResult>,
    { signal, timeoutMs = Infinity }: ToolListWaitOptions,
  ): Promise<ListToolsResult> {
    if (signal === undefined && timeoutMs === Infinity) return list;
    return new Promise((resolve, reject) => {
      const end = (error: unknown) => {
        stop();
        reject(error);
      };
      const waiter = { onAbort: end };
      const stop = () => {
        if (signal !== undefined) unwatchAbort(signal, waiter);
        timer?.cancel();
      };
      const onTimeout = () => end(this.#timeoutError(timeoutMs));
      const timer = timeoutMs === Infinity ? undefined : this.#settings.clock.setTimer(onTimeout, timeoutMs);
      if (signal !== undefined) watchAbort(signal, waiter);
      list.finally(stop).then(resolve, reject);
    });
  }

  #timeoutError(timeoutMs: number): McpTimeoutError {
    const { serverName } = this.#settings;
    const server = serverName === undefined ? "the MCP server" : `MCP server "${serverName}"`;
    const message = `the tools of ${server} did not arrive within ${timeoutMs} ms; their fetch goes on for other callers`;
    return new McpTimeoutError(message, { serverName, phase: "request", outcome: "unknown" });
  }
}
