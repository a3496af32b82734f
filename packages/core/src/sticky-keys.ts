import type { ConnectionEntry } from "./connection-entry.ts";
import { LateMap, LateSet } from "./late-collections.ts";
import { LinkedList } from "./linked-list.ts";
import type { Waiter } from "./waiter.ts";

/** Keys whose connection died are remembered until they ask again, this many at the most. */
const MAX_LOST_KEYS = 10_000;

/** A key and the connection that keeps its state, once there is one. */
export interface StickyBinding {
  readonly key: string;
  entry: ConnectionEntry | undefined;
  /** Callers that wait for this very connection. */
  readonly waiters: LinkedList<Waiter>;
}

/** Binds sticky keys to connections, one to one. */
export class StickyKeys {
  readonly #bindings = new LateMap<string, StickyBinding>();
  readonly #lost = new LateSet<string>();

  get(key: string): StickyBinding | undefined {
    return this.#bindings.get(key);
  }

  /** Makes a binding that gets its connection when its first caller does. */
  reserve(key: string): StickyBinding {
    const binding: StickyBinding = { key, entry: undefined, waiters: new LinkedList() };
    this.#bindings.set(key, binding);
    return binding;
  }

  bind(key: string, entry: ConnectionEntry): StickyBinding {
    const binding = this.#bindings.get(key) ?? this.reserve(key);
    binding.entry = entry;
    entry.stickyKey = key;
    return binding;
  }

  /** Ends a binding and returns it, with the callers that are still in it. */
  unbind(key: string): StickyBinding | undefined {
    const binding = this.#bindings.get(key);
    this.#bindings.delete(key);
    if (binding?.entry !== undefined) binding.entry.stickyKey = undefined;
    return binding;
  }

  /** All callers that wait for a connection of their own key. */
  *waiters(): IterableIterator<Waiter> {
    for (const binding of this.#bindings.values()) yield* binding.waiters;
  }

  /** Those of them whose connection is still awaited by the first caller of their key. */
  *unboundWaiters(): IterableIterator<Waiter> {
    for (const { entry, waiters } of this.#bindings.values()) if (entry === undefined) yield* waiters;
  }

  /** Remembers that the state behind a key is gone. */
  markLost(key: string): void {
    this.#lost.add(key);
    if (this.#lost.size > MAX_LOST_KEYS) {
      for (const oldest of this.#lost) {
        this.#lost.delete(oldest);
        break;
      }
    }
  }

  /** Tells once whether the state behind a key is gone. */
  takeLost(key: string): boolean {
    return this.#lost.delete(key);
  }
}
