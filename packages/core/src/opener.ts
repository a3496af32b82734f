import { type ConnectRequest, isRequestFailure, type McpConnection, RequestFailure } from "./connector.ts";
import type { PoolContext } from "./context.ts";
import type { Deadline } from "./deadline-wheel.ts";
import { failureOf, McpConnectionError, McpPoolError, McpTimeoutError, rememberFailure } from "./errors.ts";
import { HandlerRouter } from "./handler-router.ts";
import { LinkedList, type ListItem } from "./linked-list.ts";
import type { Connect } from "./plugin.ts";

/** How long a connect or a close that ignores its end may hold a place, in milliseconds. */
export const GRACE_MS = 10_000;

/**
 * How long a close is expected to take, in milliseconds; what takes longer is not reckoned with any more. A stdio server
 * that ignores the end of its stdin takes 2 s.
 */
const PROMPT_MS = 3_000;

/** Counts what will have given its place back soon, in a list of what has {@link GRACE_MS} for it, the oldest first. */
export function closingSoon(list: Iterable<Deadline> & { readonly size: number }, now: number): number {
  let slow = 0;
  for (const { deadlineKey } of list) {
    if (deadlineKey - now > GRACE_MS - PROMPT_MS) break;
    slow++;
  }
  return list.size - slow;
}

/** One connection that is being opened. */
class Opening implements ListItem<Opening>, Deadline {
  readonly id: number;
  readonly startedAt: number;
  readonly generation: number;
  readonly isForCallers: boolean;
  readonly controller = new AbortController();
  /** `running`, then `given-up` while the connector has not come back yet, then `over`. */
  state: "running" | "given-up" | "over" = "running";
  onDeadline: () => void = () => {};

  previous: Opening | undefined;
  next: Opening | undefined;
  list: LinkedList<Opening> | undefined;
  deadlineKey = 0;
  deadlinePrevious: Deadline | undefined;
  deadlineNext: Deadline | undefined;

  constructor(id: number, startedAt: number, generation: number, isForCallers: boolean) {
    this.id = id;
    this.startedAt = startedAt;
    this.generation = generation;
    this.isForCallers = isForCallers;
  }
}

/** A connection that has just been opened. */
export interface Opened {
  readonly id: number;
  readonly connection: McpConnection;
  readonly generation: number;
  readonly durationMs: number;
  /** Answers the server. */
  readonly router: HandlerRouter;
}

/** What the opener tells its pool. */
export interface OpenerHost {
  /** The place now belongs to the connection. */
  onOpened(opened: Opened): void;
  onOpenFailed(error: McpPoolError): void;
  /** The place of an opening that brought no connection is free again; called once for each. */
  onPlaceFreed(): void;
}

/** Opens connections, each with its own deadline; a hung one never holds up the others. */
export class Opener {
  readonly #context: PoolContext;
  readonly #host: OpenerHost;
  readonly #connect: Connect;
  readonly #running = new LinkedList<Opening>();
  readonly #givenUp = new LinkedList<Opening>();
  readonly #seen = new WeakSet<McpConnection>();
  #nextId = 1;
  #isClosed = false;
  /** Given-up openings of earlier generations. */
  #outdated = 0;
  /** Openings started from now on belong to this generation; older ones come too late. */
  generation = 0;

  constructor(context: PoolContext, connect: Connect, host: OpenerHost) {
    this.#context = context;
    this.#connect = connect;
    this.#host = host;
  }

  /** Connections that are being opened and wanted. */
  get running(): number {
    return this.#running.size;
  }

  /** All openings that are not over, given-up ones too. */
  get total(): number {
    return this.#running.size + this.#givenUp.size;
  }

  /** Given-up openings whose places are free soon. */
  get closingSoon(): number {
    return closingSoon(this.#givenUp, this.#context.clock.now());
  }

  /** Those that take a place in the pool's maximum: given-up ones of earlier generations do not. */
  get size(): number {
    return this.total - this.#outdated;
  }

  /** Starts to open one connection; the place in the caps is the caller's to claim before. */
  start(isForCallers: boolean): void {
    const { clock, wheel, options, serverName, identity, server } = this.#context;
    server.backoff.started();
    const opening = new Opening(this.#nextId++, clock.now(), this.generation, isForCallers);
    this.#running.pushBack(opening);
    opening.onDeadline = () => this.#expire(opening);
    wheel.set(opening, opening.startedAt + options.connectionTimeoutMs);
    const router = new HandlerRouter(this.#context);
    const request: ConnectRequest = {
      serverName,
      identity,
      sharing: options.sharing,
      signal: opening.controller.signal,
      timeoutMs: options.connectionTimeoutMs,
      handlers: router.handlers,
    };
    invoke(this.#connect, request).then(
      (connection) => this.#onConnected(opening, connection, router),
      (error: unknown) => this.#onFailed(opening, error),
    );
  }

  /** Gives up the newest openings: those that callers no longer need, or any. Returns how many it found. */
  cancel(count: number, isAny = false): number {
    const newest = [...this.#running].reverse().filter((opening) => isAny || opening.isForCallers);
    const unneeded = newest.slice(0, Math.max(count, 0));
    for (const each of unneeded) this.#giveUp(each, new McpConnectionError("the connection is no longer needed"));
    return unneeded.length;
  }

  /** Starts a new generation: what is being opened is given up. */
  renew(): void {
    this.generation++;
    this.cancelAll("the server was reconfigured");
    this.#outdated = this.#givenUp.size;
  }

  /** Gives up all openings, since the pool closes or what a connection is made of has changed. */
  cancelAll(why: string, isClosed = false): void {
    this.#isClosed ||= isClosed;
    for (const opening of this.#running) this.#giveUp(opening, new McpConnectionError(why));
  }

  #onConnected(opening: Opening, connection: McpConnection, router: HandlerRouter): void {
    if (!isConnection(connection) || this.#seen.has(connection)) {
      this.#onFailed(opening, new TypeError("the connector must return a new connection each time"));
      return;
    }
    this.#seen.add(connection);
    if (opening.state !== "running" || this.#isClosed) {
      // It came too late. The place is free when the connection is closed.
      if (opening.state === "over") {
        invoke(() => connection.close("unneeded")).catch(() => {});
        return;
      }
      this.#context.wheel.set(opening, this.#context.clock.now() + GRACE_MS);
      const free = () => this.#free(opening);
      invoke(() => connection.close("unneeded")).then(free, free);
      return;
    }
    this.#end(opening);
    const { clock, counters, server } = this.#context;
    counters.created++;
    server.backoff.opened();
    const { id, generation, startedAt } = opening;
    this.#host.onOpened({ id, connection, generation, durationMs: clock.now() - startedAt, router });
  }

  #onFailed(opening: Opening, cause: unknown): void {
    if (opening.state !== "running") {
      this.#free(opening);
      return;
    }
    this.#end(opening);
    const { clock, options } = this.#context;
    // A connector has the same limit, and may be the first to notice: to callers it is one and the same.
    const isTimeUp = clock.now() - opening.startedAt >= options.connectionTimeoutMs - 1;
    this.#fail(opening, isTimeUp ? this.#timeoutError(cause) : cause);
    this.#host.onPlaceFreed();
  }

  #expire(opening: Opening): void {
    if (opening.state === "given-up") {
      this.#free(opening);
      return;
    }
    const error = this.#timeoutError();
    this.#giveUp(opening, error);
    this.#fail(opening, error);
  }

  #timeoutError(cause?: unknown): McpTimeoutError {
    const { serverName, options } = this.#context;
    return new McpTimeoutError(
      `MCP server "${serverName}" did not open a connection within ${options.connectionTimeoutMs} ms`,
      { serverName, phase: "connect", outcome: "not-sent", ...(cause !== undefined && { cause }) },
    );
  }

  /** The place stays taken until the connector has cleaned up, or {@link GRACE_MS} have passed. */
  #giveUp(opening: Opening, reason: unknown): void {
    opening.state = "given-up";
    this.#givenUp.pushBack(opening);
    this.#context.wheel.set(opening, this.#context.clock.now() + GRACE_MS);
    opening.controller.abort(reason);
  }

  #fail(opening: Opening, cause: unknown): void {
    const { clock, counters, events, serverName, server } = this.#context;
    const error = McpPoolError.isInstance(cause) ? cause : connectError(serverName, cause);
    if (failureOf(error) === undefined) {
      rememberFailure(error, new RequestFailure("not-sent", error.message, { cause: error }));
    }
    if (error.code !== "CIRCUIT_OPEN") server.backoff.failed(opening.startedAt);
    counters.connectFailures++;
    if (events.wants("connection-failed")) {
      const durationMs = clock.now() - opening.startedAt;
      events.emit({ type: "connection-failed", connectionId: opening.id, durationMs, error });
    }
    this.#host.onOpenFailed(error);
  }

  #free(opening: Opening): void {
    if (opening.state === "over") return;
    this.#end(opening);
    this.#host.onPlaceFreed();
  }

  #end(opening: Opening): void {
    if (opening.state === "given-up" && opening.generation !== this.generation) this.#outdated--;
    opening.state = "over";
    opening.list?.remove(opening);
    this.#context.wheel.remove(opening);
  }
}

/** Calls a hook; one that throws is one that rejects. */
export async function invoke<A extends unknown[], R>(hook: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
  return await hook(...args);
}

/** A connector may judge its failure, and say how long the server asks to wait. */
function connectError(serverName: string, cause: unknown): McpConnectionError {
  const failure = isRequestFailure(cause) ? cause : undefined;
  const message = `could not connect to MCP server "${serverName}": ${messageOf(cause)}`;
  const error = new McpConnectionError(message, { serverName, cause, retryAfterMs: failure?.retryAfterMs });
  if (failure !== undefined) rememberFailure(error, failure);
  return error;
}

const METHODS = ["request", "probe", "close", "onNotification", "onClosed"] as const;

function isConnection(value: unknown): value is McpConnection {
  if (typeof value !== "object" || value === null) return false;
  const connection: Partial<McpConnection> = value;
  return typeof connection.server === "object" && METHODS.every((name) => typeof connection[name] === "function");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
