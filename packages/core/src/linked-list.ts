/** An item that knows its neighbours, and so leaves a list of any length in constant time. */
export interface ListItem<T> {
  previous: T | undefined;
  next: T | undefined;
  list: { remove(item: T): void } | undefined;
}

/** A doubly linked list that lives in its items: no allocation, every operation O(1). An item is in one list at most. */
export class LinkedList<T extends ListItem<T>> {
  #head: T | undefined;
  #tail: T | undefined;
  #size = 0;

  get head(): T | undefined {
    return this.#head;
  }

  get tail(): T | undefined {
    return this.#tail;
  }

  get size(): number {
    return this.#size;
  }

  pushFront(item: T): void {
    this.#own(item);
    item.next = this.#head;
    if (this.#head === undefined) this.#tail = item;
    else this.#head.previous = item;
    this.#head = item;
  }

  pushBack(item: T): void {
    this.#own(item);
    item.previous = this.#tail;
    if (this.#tail === undefined) this.#head = item;
    else this.#tail.next = item;
    this.#tail = item;
  }

  /** Takes an item out; does nothing when it is not in this list. */
  remove(item: T): void {
    if (item.list !== this) return;
    if (item.previous === undefined) this.#head = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) this.#tail = item.previous;
    else item.next.previous = item.previous;
    item.previous = undefined;
    item.next = undefined;
    item.list = undefined;
    this.#size--;
  }

  /** Visits the items from head to tail; the one at hand may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let item = this.#head; item !== undefined; ) {
      const next: T | undefined = item.next;
      yield item;
      item = next;
    }
  }

  #own(item: T): void {
    item.list?.remove(item);
    item.list = this;
    this.#size++;
  }
}
