import type { Unsubscribe } from "./connector.ts";
import type { PoolEvent, PoolEventDetail, PoolEventListener, PoolEventSource } from "./events.ts";

/** Names of the events a listener wants. */
export type PoolEventType = PoolEventDetail["type"];

/** Hands events to listeners. Events that nobody wants are never built: ask {@link wants} first. */
export class EventHub {
  readonly #source: PoolEventSource;
  readonly #listeners = new Map<PoolEventListener, ReadonlySet<PoolEventType> | undefined>();
  #wanted: ReadonlySet<PoolEventType> = new Set();
  #isAllWanted = false;
  /** Whether anybody wants these; fields, since looking a name up in a set costs as much as all else about a lease. */
  wantsAcquired = false;
  wantsReleased = false;
  wantsQueued = false;
  #isReporting = false;

  constructor(source: PoolEventSource) {
    this.#source = source;
  }

  wants(type: PoolEventType): boolean {
    return this.#isAllWanted || this.#wanted.has(type);
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
    if (this.#listeners.size === 0) return;
    const event: PoolEvent = { ...this.#source, ...detail };
    for (const [listener, types] of [...this.#listeners]) {
      if (types !== undefined && !types.has(detail.type)) continue;
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
    const wanted = new Set<PoolEventType>();
    for (const types of this.#listeners.values()) {
      for (const type of types ?? []) wanted.add(type);
    }
    this.#wanted = wanted;
    this.#isAllWanted = [...this.#listeners.values()].includes(undefined);
    this.wantsAcquired = this.wants("lease-acquired");
    this.wantsReleased = this.wants("lease-released");
    this.wantsQueued = this.wants("acquire-queued");
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
