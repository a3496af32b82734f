import { OTHER } from "./names.ts";

/** Lets the first names through; those beyond the limit are one name, so that no series are made without end. */
export class BoundedNames {
  readonly #limit: number;
  readonly #names = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(name: string): string {
    if (this.#names.has(name)) return name;
    if (this.#names.size >= this.#limit) return OTHER;
    this.#names.add(name);
    return name;
  }
}
