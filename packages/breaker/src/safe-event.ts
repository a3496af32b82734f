import type { Event } from "cockatiel";

/** A cockatiel event whose listeners cannot hurt anybody: what one throws is reported, and the others are told all the same. */
export class SafeEvent<T> {
  readonly #listeners = new Set<{ readonly call: (value: T) => void }>();
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  readonly event: Event<T> = (listener) => {
    const own = { call: listener };
    this.#listeners.add(own);
    return { dispose: () => void this.#listeners.delete(own) };
  };

  emit(value: T): void {
    for (const { call } of [...this.#listeners]) {
      try {
        call(value);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
