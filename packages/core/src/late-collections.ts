/**
 * A set that takes no memory to speak of before it holds something. An empty one of the language takes 200 bytes, which
 * counts where a manager has a thousand pools, most of which never use it.
 */
export class LateSet<T> {
  #items: Set<T> | undefined;

  get size(): number {
    return this.#items?.size ?? 0;
  }

  has(item: T): boolean {
    return this.#items?.has(item) ?? false;
  }

  add(item: T): void {
    this.#items ??= new Set();
    this.#items.add(item);
  }

  delete(item: T): boolean {
    return this.#items?.delete(item) ?? false;
  }

  clear(): void {
    this.#items = undefined;
  }

  [Symbol.iterator](): Iterator<T> {
    return (this.#items ?? NOTHING)[Symbol.iterator]();
  }
}

/** A map of the same kind. */
export class LateMap<K, V> {
  #items: Map<K, V> | undefined;

  get size(): number {
    return this.#items?.size ?? 0;
  }

  get(key: K): V | undefined {
    return this.#items?.get(key);
  }

  has(key: K): boolean {
    return this.#items?.has(key) ?? false;
  }

  set(key: K, value: V): void {
    this.#items ??= new Map();
    this.#items.set(key, value);
  }

  delete(key: K): boolean {
    return this.#items?.delete(key) ?? false;
  }

  clear(): void {
    this.#items = undefined;
  }

  keys(): Iterable<K> {
    return this.#items?.keys() ?? NOTHING;
  }

  values(): Iterable<V> {
    return this.#items?.values() ?? NOTHING;
  }

  entries(): Iterable<[K, V]> {
    return this.#items?.entries() ?? NOTHING;
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.entries()[Symbol.iterator]();
  }
}

const NOTHING: readonly never[] = [];
