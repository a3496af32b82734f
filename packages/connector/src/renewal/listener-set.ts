import type { Unsubscribe } from "@mcp-pool/core";

/** Listeners of one kind; one that throws keeps nobody else from being told. */
export class ListenerSet<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** A listener added twice is told twice. */
  add(listener: (value: T) => void): Unsubscribe {
    const own = (value: T): void => listener(value);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Tells all, and then throws what the listeners threw. */
  tell(value: T): void {
    const errors: unknown[] = [];
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, "a listener threw");
  }

  clear(): void {
    this.#listeners.clear();
  }
}
