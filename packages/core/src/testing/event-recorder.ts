import type { Unsubscribe } from "../connector.ts";
import type { PoolEventType } from "../event-hub.ts";
import type { PoolEvent, PoolEventDetail, PoolEventListener, PoolEventSource } from "../events.ts";

/** A pool or a manager. */
export interface EventSource {
  subscribe(listener: PoolEventListener): Unsubscribe;
}

/** Keeps every event of a pool or a manager. */
export class EventRecorder {
  readonly #events: PoolEvent[] = [];
  readonly #unsubscribe: Unsubscribe;

  constructor(source: EventSource) {
    this.#unsubscribe = source.subscribe((event) => this.#events.push(event));
  }

  get events(): readonly PoolEvent[] {
    return [...this.#events];
  }

  /** The sequence of what happened. */
  get types(): readonly PoolEventType[] {
    return this.#events.map((event) => event.type);
  }

  /** The events of one type. */
  of<Type extends PoolEventType>(type: Type): readonly EventOf<Type>[] {
    return this.#events.filter((event): event is EventOf<Type> => event.type === type);
  }

  /** Forgets what has happened so far. */
  clear(): void {
    this.#events.length = 0;
  }

  /** Stops listening. */
  stop(): void {
    this.#unsubscribe();
  }
}

/** The events of one type. */
export type EventOf<Type extends PoolEventType> = Extract<PoolEventDetail, { readonly type: Type }> & PoolEventSource;
