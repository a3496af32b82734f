import type { Unsubscribe } from "./connector.ts";
import type { PoolEvent, PoolEventDetail, PoolEventListener, PoolEventSource } from "./events.ts";
import { LateMap } from "./late-collections.ts";

/** Names of the events a listener wants. */
export type PoolEventType = PoolEventDetail["type"];

interface Subscription {
  readonly listener: PoolEventListener;
  readonly types: readonly PoolEventType[] | undefined;
}

/** Which of the events that each lease or request may bring anybody wants. Fields, since looking a name up costs as much as a lease. */
export interface EventWishes {
  /** Whether anybody wants to know of each lease, be it by events or because leases are tracked. */
  wantsLeases: boolean;
  wantsAcquired: boolean;
  wantsReleased: boolean;
  wantsQueued: boolean;
  wantsFinished: boolean;
  wantsSettled: boolean;
}

/** Hands events to listeners. Events that nobody wants are never built: look at the {@link EventWishes}, or ask {@link wants}. */
export class EventHub {
  /** Whose events they are; what is wanted of them is kept there, with what else is looked at. */
  readonly #source: PoolEventSource & EventWishes;
  #subscriptions: readonly Subscription[] = [];
  /** Who wants what, found out at the first event of a type, until somebody comes or goes. */
  readonly #byType = new LateMap<PoolEventType, readonly PoolEventListener[]>();
  #isReporting = false;
  #isTracking = false;

  constructor(source: PoolEventSource & EventWishes) {
    this.#source = source;
  }

  /** Says that leases are tracked. */
  set isTracking(isTracking: boolean) {
    this.#isTracking = isTracking;
    this.#summarise(this.#subscriptions);
  }

  wants(type: PoolEventType): boolean {
    return this.#listenersOf(type).length > 0;
  }

  /** Adds a listener for the given types, or for all. */
  subscribe(listener: PoolEventListener, types?: readonly PoolEventType[]): Unsubscribe {
    const subscription: Subscription = { listener, types: types && [...types] };
    this.#summarise([...this.#subscriptions, subscription]);
    return () => {
      if (this.#subscriptions.includes(subscription)) {
        this.#summarise(this.#subscriptions.filter((each) => each !== subscription));
      }
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

  #summarise(subscriptions: readonly Subscription[]): void {
    this.#subscriptions = subscriptions;
    this.#byType.clear();
    const wants = (type: PoolEventType) => subscriptions.some((each) => isWanted(each, type));
    const wishes: EventWishes = this.#source;
    wishes.wantsAcquired = wants("lease-acquired");
    wishes.wantsReleased = wants("lease-released");
    wishes.wantsLeases = this.#isTracking || wishes.wantsAcquired || wishes.wantsReleased;
    wishes.wantsQueued = wants("acquire-queued");
    wishes.wantsFinished = wants("request-finished");
    wishes.wantsSettled = wants("request-settled");
  }

  #listenersOf(type: PoolEventType): readonly PoolEventListener[] {
    let listeners = this.#byType.get(type);
    if (listeners === undefined) {
      const wanting = this.#subscriptions.filter((each) => isWanted(each, type));
      listeners = wanting.map(({ listener }) => listener);
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

function isWanted({ types }: Subscription, type: PoolEventType): boolean {
  return types === undefined || types.includes(type);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
