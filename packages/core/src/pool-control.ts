import type { Clock } from "./clock.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import { type CloseReason, RequestFailure, type Unsubscribe } from "./connector.ts";
import { isDeclaredSafe } from "./declared-safe.ts";
import type { PoolEventType } from "./event-hub.ts";
import type { PoolEventDetail, PoolEventListener } from "./events.ts";
import type { ResolvedPoolOptions } from "./options.ts";
import type { HeldLease, PoolControl, PooledConnection, PoolRequest } from "./plugin.ts";
import type { PoolParts } from "./pool-parts.ts";
import type { PoolStats } from "./stats.ts";

/** What the plugins of a pool may see of it and do to it. */
export class ControlOfPool implements PoolControl {
  readonly poolName: string;
  readonly serverName: string;
  readonly identity: string | undefined;
  readonly clock: Clock;
  /** No private field of the language: whoever hands plugins an object that inherits from this one gets at it too. */
  private readonly parts: PoolParts;

  constructor(parts: PoolParts) {
    const { poolName, serverName, identity, clock } = parts.context;
    this.poolName = poolName;
    this.serverName = serverName;
    this.identity = identity;
    this.clock = clock;
    this.parts = parts;
  }

  get options(): ResolvedPoolOptions {
    return this.parts.context.options;
  }

  subscribe(listener: PoolEventListener, types?: readonly PoolEventType[]): Unsubscribe {
    return this.parts.context.events.subscribe(listener, types);
  }

  emit(event: PoolEventDetail): void {
    const { counters, events } = this.parts.context;
    if (event.type === "circuit-rejected") counters.errors.circuitOpen++;
    events.emit(event);
  }

  stats(): PoolStats {
    return this.parts.stats();
  }

  connections(): Iterable<PooledConnection> {
    return [...this.parts.dispatcher.set];
  }

  retire({ id }: PooledConnection, reason: CloseReason): void {
    const { set, closer } = this.parts.dispatcher;
    const entry = [...set].find((each) => each.id === id);
    if (entry !== undefined) closer.retire(entry, reason);
  }

  refill(): void {
    this.parts.dispatcher.dispatch();
  }

  open(): boolean {
    const { isClosed, growth } = this.parts.dispatcher;
    return !isClosed && growth.openOne();
  }

  async probe(connection: PooledConnection, signal: AbortSignal): Promise<void> {
    await this.parts.dispatcher.checker.probe(this.entryOf(connection), signal);
  }

  async ask(
    connection: PooledConnection,
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    return this.entryOf(connection).connection.request(method, params, { signal });
  }

  leases(): Iterable<HeldLease> {
    return this.parts.leases.tracked();
  }

  trackLeases(): void {
    this.parts.leases.track();
  }

  isDeclaredSafe(request: PoolRequest): boolean | Promise<boolean> {
    const { context, tools } = this.parts;
    return isDeclaredSafe(request, context.options, tools, this.clock);
  }

  shared<T>(name: string, create: () => T): T {
    const { shared } = this.parts.context.server;
    if (!shared.has(name)) shared.set(name, create());
    return shared.get(name) as T;
  }

  plugin(name: string): unknown {
    return this.parts.plugins.handle(name);
  }

  private entryOf({ id }: PooledConnection): ConnectionEntry {
    for (const entry of this.parts.dispatcher.set) if (entry.id === id && entry.state !== "closing") return entry;
    throw new RequestFailure("not-sent", `connection ${id} is closed`);
  }
}
