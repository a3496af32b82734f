/** An item that knows its neighbours, and so leaves a list of any length in constant time. */
export interface ListItem<T> {
  /** The one before it; of the first one, the last. Ask {@link LinkedList.before}. */
  previous: T | undefined;
  next: T | undefined;
  list: { remove(item: T): void } | undefined;
}

/**
 * A doubly linked list that lives in its items: no allocation, every operation O(1). An item is in one list at most.
 * The first item knows the last one, not the list: lists live for long and items don't, and each reference from old to new costs
 * the garbage collector.
 */
export class LinkedList<T extends ListItem<T>> {
  #head: T | undefined;
  #size = 0;

  get head(): T | undefined {
    return this.#head;
  }

  get tail(): T | undefined {
    return this.#head?.previous;
  }

  get size(): number {
    return this.#size;
  }

  pushFront(item: T): void {
    this.#own(item);
    const head = this.#head;
    item.next = head;
    item.previous = head === undefined ? item : head.previous;
    if (head !== undefined) head.previous = item;
    this.#head = item;
  }

  pushBack(item: T): void {
    this.#own(item);
    const head = this.#head;
    const tail = head?.previous;
    if (head === undefined || tail === undefined) {
      item.previous = item;
      this.#head = item;
      return;
    }
    item.previous = tail;
    tail.next = item;
    head.previous = item;
  }

  /** Takes an item out; does nothing when it is not in this list. */
  remove(item: T): void {
    if (item.list !== this) return;
    const { previous, next } = item;
    if (item === this.#head) this.#head = next;
    else if (previous !== undefined) previous.next = next;
    if (next !== undefined) next.previous = previous;
    else if (this.#head !== undefined) this.#head.previous = previous;
    item.previous = undefined;
    item.next = undefined;
    item.list = undefined;
    this.#size--;
  }

  /** Takes the first item out, if it is that and another one follows: what {@link remove} does in that case, and quicker. */
  shift(item: T): boolean {
    const { next } = item;
    if (item !== this.#head || next === undefined) return false;
    next.previous = item.previous;
    this.#head = next;
    item.previous = undefined;
    item.next = undefined;
    item.list = undefined;
    this.#size--;
    return true;
  }

  /** Returns the one before an item of this list. */
  before(item: T): T | undefined {
    return item === this.#head ? undefined : item.previous;
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
