import type { Unsubscribe } from "./connector.ts";
import type { PoolEvent, PoolEventDetail, PoolEventListener, PoolEventSource } from "./events.ts";

/** Names of the events a listener wants. */
export type PoolEventType = PoolEventDetail["type"];

/** Hands events to listeners. Events that nobody wants are never built: ask {@link wants} first. */
export class EventHub {
  /** Whether anybody wants these; fields, since looking a name up in a set costs as much as all else about a lease. */
  /** Whether anybody wants to know of each lease, be it by events or because leases are tracked. */
  wantsLeases = false;
  wantsAcquired = false;
  wantsReleased = false;
  wantsQueued = false;
  wantsFinished = false;
  wantsSettled = false;
  readonly #source: PoolEventSource;
  readonly #listeners = new Map<PoolEventListener, ReadonlySet<PoolEventType> | undefined>();
  /** Who wants what, found out at the first event of a type, until somebody comes or goes. */
  #byType = new Map<PoolEventType, readonly PoolEventListener[]>();
  #isReporting = false;
  #isTracking = false;

  constructor(source: PoolEventSource) {
    this.#source = source;
  }

  /** Says that leases are tracked. */
  set isTracking(isTracking: boolean) {
    this.#isTracking = isTracking;
    this.#summarise();
  }

  wants(type: PoolEventType): boolean {
    return this.#listenersOf(type).length > 0;
  }

  /** Adds a listener for the given types, or for all. */
  subscribe(listener: PoolEventListener, types?: readonly PoolEventType[]): Unsubscribe {
    const wrapped: PoolEventListener = (event) => listener(event);
    this.#listeners.set(wrapped, types === undefined ? undefined : new Set(types));
    this.#summarise();
    return () => {
      if (this.#listeners.delete(wrapped)) this.#summarise();
    };
  }

  emit(detail: PoolEventDetail): void {
    const listeners = this.#listenersOf(detail.type);
    if (listeners.length === 0) return;
    const { serverName, identity, poolName } = this.#source;
    // Only the first spread of a literal is quick.
    const event: PoolEvent = { ...detail, serverName, identity, poolName };
    for (const listener of listeners) {
      try {
        const result: unknown = listener(event);
        if (isThenable(result)) this.#await(result, detail.type);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  /** An async listener that fails is reported like any other, but not while it hears of a failure. */
  #await(result: PromiseLike<unknown>, type: PoolEventType): void {
    const onError = (error: unknown) => {
      if (type !== "listener-failed") this.#report(error);
    };
    result.then(undefined, onError);
  }

  #summarise(): void {
    this.#byType = new Map();
    this.wantsAcquired = this.wants("lease-acquired");
    this.wantsReleased = this.wants("lease-released");
    this.wantsLeases = this.#isTracking || this.wantsAcquired || this.wantsReleased;
    this.wantsQueued = this.wants("acquire-queued");
    this.wantsFinished = this.wants("request-finished");
    this.wantsSettled = this.wants("request-settled");
  }

  #listenersOf(type: PoolEventType): readonly PoolEventListener[] {
    let listeners = this.#byType.get(type);
    if (listeners === undefined) {
      const wanting = [...this.#listeners].filter(([, types]) => types === undefined || types.has(type));
      listeners = wanting.map(([listener]) => listener);
      this.#byType.set(type, listeners);
    }
    return listeners;
  }

  /** A listener that fails while it hears of a failure is left alone, or two of them would never stop. */
  #report(error: unknown): void {
    if (this.#isReporting) return;
    this.#isReporting = true;
    this.emit({ type: "listener-failed", error });
    this.#isReporting = false;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
