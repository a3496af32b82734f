import { type AbortTarget, unwatchAbort, watchAbort } from "./abort-watch.ts";
import type { AttemptHost, RoomOrigin } from "./attempt-host.ts";
import { CANCELLED_MS } from "./cancellations.ts";
import type { ReadResult } from "./client.ts";
import { type ClientHandlers, mergeHandlers } from "./client-handlers.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import {
  type ConnectionRequestOptions,
  type Progress,
  type RequestEnd,
  RequestFailure,
  type StartedRequest,
  toRequestFailure,
} from "./connector.ts";
import type { Deadline } from "./deadline-wheel.ts";
import { McpTimeoutError, rememberFailure } from "./errors.ts";
import { Lease } from "./lease.ts";
import type { LinkedList, ListItem } from "./linked-list.ts";
import type { PoolRequest } from "./plugin.ts";
import { describeRequest, requestError } from "./request-errors.ts";
import { NO_OPTIONS, withMeta } from "./request-options.ts";
import { abortStarted, startByPromise } from "./start-by-promise.ts";
import type { ToolBulkhead } from "./tool-bulkheads.ts";

/** How long an abandoned request keeps its room while its late answer is awaited, in milliseconds. */
const ABANDONED_MS = 30_000;

/** What a connection is told besides of a request without options. */
const NOTHING_BESIDES = Object.freeze({ onProgress: undefined, headers: undefined, handlers: undefined });

/** Sends one request on one connection, once, and ends by its answer, its deadline or its caller's signal. */
export class Attempt implements Deadline, AbortTarget, ListItem<Attempt>, RequestEnd {
  readonly entry: ConnectionEntry;
  readonly request: PoolRequest;
  readonly room: RoomOrigin;
  /** Clock time, and the wait before that, in milliseconds. */
  readonly startedAt: number;
  readonly waitMs: number;
  /** The limit of the tool, where the attempt holds a unit of it. */
  readonly bulkhead: ToolBulkhead | undefined;
  readonly #read: ReadResult | undefined;
  readonly #host: AttemptHost;
  /** The request on its connection. */
  #started: StartedRequest | undefined;
  /** Why the connection was told that nobody waits any more, since it has been told. */
  #told: { readonly reason: unknown } | undefined;
  /** `abandoned`: the caller has gone, the server may still be at work. */
  #state: "running" | "abandoned" | "over" = "running";
  /** Clock times in milliseconds: until when the room is kept at most, and when the server was told that nobody waits. */
  #keptUntil = 0;
  #cancelledAt: number | undefined;
  /** Whether the room stays taken, for requests that follow on the same connection. */
  isKept = false;
  #resolve: ((result: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  previous: Attempt | undefined;
  next: Attempt | undefined;
  list: LinkedList<Attempt> | undefined;
  deadlineKey = 0;
  deadlinePrevious: Deadline | undefined;
  deadlineNext: Deadline | undefined;

  /** @param read makes of the result what the caller gets */
  constructor(
    host: AttemptHost,
    entry: ConnectionEntry,
    request: PoolRequest,
    room: RoomOrigin,
    startedAt: number,
    waitMs: number,
    bulkhead: ToolBulkhead | undefined,
    read: ReadResult | undefined,
  ) {
    this.#host = host;
    this.entry = entry;
    this.request = request;
    this.room = room;
    this.startedAt = startedAt;
    this.waitMs = waitMs;
    this.bulkhead = bulkhead;
    this.#read = read;
    request.connectionId = entry.id;
  }

  /** What the call brought to answer the server with, while it waits. */
  get handlers(): ClientHandlers | undefined {
    return this.#state === "running" ? this.request.options.handlers : undefined;
  }

  run(): Promise<unknown> {
    const promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.entry.attempts.pushBack(this);
    const { method, options, deadlineAt } = this.request;
    this.request.hold?.begin(this.entry);
    const { wheel } = this.#host.context;
    if (options.signal !== undefined) watchAbort(options.signal, this);
    wheel.set(this, Math.min(deadlineAt, this.startedAt + this.#timeoutMs));
    if (this.entry.state === "closed") {
      this.#failed(new RequestFailure("not-sent", "the connection is closed"));
      return promise;
    }
    try {
      const isModern = this.entry.connection.era === "modern";
      const own = options === NO_OPTIONS && !isModern ? NOTHING_BESIDES : this.#own(isModern);
      const params = isModern ? withMeta(this.request.params, this.#host.modernMeta) : this.request.params;
      const { connection } = this.entry;
      this.#started =
        connection.startRequest === undefined
          ? startByPromise(connection, method, params, own, this, this.#fail)
          : connection.startRequest(method, params, own, this);
      // Its caller may have gone while it was sent.
      if (this.#told !== undefined) abortStarted(this.#started, this.#told.reason, this.#host.context.events);
    } catch (error) {
      this.#failed(error);
    }
    return promise;
  }

  /** Ends a request that its connection has left open, though nothing of the connection is left. */
  close(): void {
    this.#failed(new RequestFailure("outcome-unknown", "the connection was closed"));
  }

  onAbort(reason: unknown): void {
    const failure = new RequestFailure("aborted", "the caller gave up", { cause: reason });
    rememberFailure(reason, failure);
    this.#abandon(failure, reason);
  }

  onDeadline(): void {
    if (this.#state === "abandoned") {
      this.#look();
      return;
    }
    const { serverName, clock } = this.#host.context;
    const afterMs = Math.round(clock.now() - this.startedAt);
    const message = `${describeRequest(this.request, serverName)} got no answer within ${afterMs} ms; it may have run`;
    const error = new McpTimeoutError(message, { serverName, phase: "request", outcome: "unknown" });
    const failure = new RequestFailure("timed-out", message, { cause: error });
    rememberFailure(error, failure);
    this.#abandon(failure, error);
  }

  get #timeoutMs(): number {
    return Math.min(this.#host.context.options.attemptTimeoutMs, this.request.attemptTimeoutMs ?? Infinity);
  }

  #own(isModern: boolean): Omit<ConnectionRequestOptions, "signal"> {
    const { options, stretch, lease } = this.request;
    // Functions were called before the request set out.
    const headers = typeof options.headers === "function" ? undefined : options.headers;
    const onProgress = stretch === undefined ? options.onProgress : (progress: Progress) => this.#progressed(progress);
    if (!isModern) return { onProgress, headers, handlers: undefined };
    const handlers = mergeHandlers(options.handlers, Lease.handlersOf(lease), this.#host.context.options.handlers);
    return { onProgress, headers, handlers };
  }

  get #fail(): (error: unknown) => void {
    return (error) => this.#failed(error);
  }

  #progressed(progress: Progress): void {
    if (this.#state !== "running") return;
    const { request } = this;
    const { wheel, clock } = this.#host.context;
    const now = clock.now();
    if (request.stretch !== undefined) {
      const { byMs, latestAt } = request.stretch;
      request.deadlineAt = Math.max(request.deadlineAt, Math.min(now + byMs, latestAt));
      wheel.set(this, Math.min(request.deadlineAt, now + this.#timeoutMs));
    }
    request.options.onProgress?.(progress);
  }

  /** The caller goes at once. The room stays taken until the server is known to be done, or for long enough. */
  #abandon(failure: RequestFailure, error: unknown): void {
    const { wheel, clock } = this.#host.context;
    this.#state = "abandoned";
    this.#unwatch();
    this.#keptUntil = clock.now() + ABANDONED_MS;
    wheel.set(this, this.#keptUntil);
    this.#host.onJudged(this, failure);
    this.#told = { reason: error };
    abortStarted(this.#started, error, this.#host.context.events);
    // A connection that serves nobody else any more need not wait for the late answer.
    if (!this.entry.isUsable) this.#end(false);
    this.#host.onSettled(this, failure, undefined, error);
    this.#reject?.(error);
  }

  /** Takes the answer, also while the request is still being sent. */
  onResult(result: unknown): void {
    if (this.#state === "running") {
      this.isKept = this.room !== "of-lease" && this.request.hold?.keep(this.entry) === true;
      this.#finish(undefined, result, undefined);
      this.#answer(result);
    } else {
      this.#end(false);
    }
  }

  #answer(result: unknown): void {
    try {
      this.#resolve?.(this.#read === undefined ? result : this.#read(result, this.#host.context));
    } catch (error) {
      this.#reject?.(error);
    }
  }

  /** A failure may come in the midst of a closing, or of our own giving up, which goes first. */
  onFailure(raw: unknown): void {
    queueMicrotask(() => this.#failed(raw));
  }

  #failed(raw: unknown): void {
    const failure = toRequestFailure(raw);
    if (this.#state === "running") {
      const { serverName, options } = this.#host.context;
      const error = requestError(failure, this.request, serverName, options.sharing === "exclusive");
      this.#finish(failure, undefined, error);
      this.#reject?.(error);
    } else if (failure.lateAnswer !== undefined) {
      this.#cancelled(failure.lateAnswer);
    } else {
      this.#end(false);
    }
  }

  /** The server was told. Its answer may cross that on the way, and it may go on in spite of it. */
  #cancelled(lateAnswer: Promise<unknown>): void {
    const { cancellations, context } = this.#host;
    this.#cancelledAt = context.clock.now();
    const arrived = (answer: unknown) => {
      if (answer !== false && this.#wasRead) cancellations.ignored(this.request);
      this.#end(false);
    };
    lateAnswer.then(arrived, () => this.#end(false));
    if (this.#state === "over" || cancellations.isIgnored(this.request)) return;
    context.wheel.set(this, Math.min(this.#cancelledAt + CANCELLED_MS, this.#keptUntil));
  }

  /** The connection serves nobody new any more, and need not wait for late answers; the server has been told before. */
  onStopped(): void {
    if (this.#state === "abandoned" && this.#told !== undefined) this.#end(false);
  }

  /** The server has answered something that was sent after the cancellation. */
  onRead(): void {
    if (this.#state === "abandoned" && this.#wasRead && this.#isOverdue) this.#end(false);
  }

  /** Decides whether what is abandoned keeps its room. */
  #look(): void {
    const { cancellations, context } = this.#host;
    const now = context.clock.now();
    if (now >= this.#keptUntil) {
      this.#end(true);
    } else if (cancellations.isIgnored(this.request)) {
      context.wheel.set(this, this.#keptUntil);
    } else if (this.#wasRead) {
      this.#end(false);
    } else {
      context.wheel.set(this, Math.min(now + CANCELLED_MS, this.#keptUntil));
      cancellations.ask(this.entry);
    }
  }

  get #wasRead(): boolean {
    return this.#cancelledAt !== undefined && this.entry.readUpTo > this.#cancelledAt;
  }

  get #isOverdue(): boolean {
    const sinceMs = this.#host.context.clock.now() - (this.#cancelledAt ?? Infinity);
    return sinceMs >= CANCELLED_MS && !this.#host.cancellations.isIgnored(this.request);
  }

  #finish(failure: RequestFailure | undefined, result: unknown, error: unknown): void {
    this.#unwatch();
    this.#host.onJudged(this, failure);
    this.#end(false);
    this.#host.onSettled(this, failure, result, error);
  }

  #end(wasNeverAnswered: boolean): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.entry.attempts.remove(this);
    this.#host.context.wheel.remove(this);
    this.#host.onOver(this, wasNeverAnswered);
  }

  #unwatch(): void {
    const { signal } = this.request.options;
    if (signal !== undefined) unwatchAbort(signal, this);
  }
}
