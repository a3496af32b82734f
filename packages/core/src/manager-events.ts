import type { ServerNotification, Unsubscribe } from "./connector.ts";
import type { PoolEventType } from "./event-hub.ts";
import type { PoolEvent, PoolEventListener } from "./events.ts";
import type { McpConnectionPool } from "./pool.ts";

interface Subscriber {
  readonly listener: PoolEventListener;
  readonly types: readonly PoolEventType[] | undefined;
  readonly unsubscribes: Map<McpConnectionPool, Unsubscribe>;
}

/** Subscribes listeners to every pool there is, and to every pool that comes. */
export class ManagerEvents {
  readonly #pools = new Set<McpConnectionPool>();
  readonly #subscribers = new Set<Subscriber>();

  add(pool: McpConnectionPool): void {
    this.#pools.add(pool);
    for (const subscriber of this.#subscribers) this.#connect(subscriber, pool);
    pool.subscribe(() => this.#remove(pool), ["pool-closed"]);
  }

  subscribe(listener: PoolEventListener, types?: readonly PoolEventType[]): Unsubscribe {
    const subscriber: Subscriber = { listener, types, unsubscribes: new Map() };
    this.#subscribers.add(subscriber);
    for (const pool of this.#pools) this.#connect(subscriber, pool);
    return () => {
      this.#subscribers.delete(subscriber);
      for (const unsubscribe of subscriber.unsubscribes.values()) unsubscribe();
      subscriber.unsubscribes.clear();
    };
  }

  /** Listens to what a server announces on connections of one identity, or on those without one. */
  onNotification(
    serverName: string,
    identity: string | undefined,
    listener: (notification: ServerNotification) => void,
  ): Unsubscribe {
    const own = (event: PoolEvent) => {
      if (event.type !== "notification-received") return;
      if (event.serverName === serverName && event.identity === identity) listener(event.notification);
    };
    return this.subscribe(own, ["notification-received"]);
  }

  #connect({ listener, types, unsubscribes }: Subscriber, pool: McpConnectionPool): void {
    unsubscribes.set(pool, pool.subscribe(listener, types));
  }

  #remove(pool: McpConnectionPool): void {
    this.#pools.delete(pool);
    for (const subscriber of this.#subscribers) subscriber.unsubscribes.delete(pool);
  }
}
