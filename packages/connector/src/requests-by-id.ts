/** Slots of a table that has just been made, and the most that an empty one keeps. */
const LEAST_SLOTS = 16;
const MOST_SLOTS_KEPT = 1_024;

/**
 * What is in flight, by whole numbers that count up. A `Map` would do, were it not for the garbage collector: each time a
 * map makes itself a new table, the old one keeps a reference to it, and so, once one table is old, all later ones are kept
 * with everything that was ever in them, until the whole heap is collected. Here a slot is cleared, and nothing is left.
 */
export class RequestsById<Item extends { readonly id: number }> {
  /** At most half of them are taken; who finds his slot taken goes on to the next one. */
  #slots: (Item | undefined)[] = emptySlots(LEAST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Also takes what is no id at all, such as `NaN`. */
  get(id: number): Item | undefined {
    return this.#slots[this.#slotOf(id)];
  }

  /** Adds an item, which takes the place of one with its id. */
  add(item: Item): void {
    if (this.#size * 2 >= this.#slots.length) this.#resize(this.#slots.length * 2);
    const slot = this.#slotOf(item.id);
    if (this.#slots[slot] === undefined) this.#size++;
    this.#slots[slot] = item;
  }

  delete(id: number): void {
    let free = this.#slotOf(id);
    if (this.#slots[free] === undefined) return;
    this.#size--;
    // Who stands behind the gap because his own slot was taken moves up, or nobody would find him there.
    for (let slot = this.#after(free); ; slot = this.#after(slot)) {
      const item = this.#slots[slot];
      if (item === undefined) break;
      const ahead = this.#distance(this.#firstSlotOf(item.id), slot);
      if (ahead < this.#distance(free, slot)) continue;
      this.#slots[free] = item;
      free = slot;
    }
    this.#slots[free] = undefined;
    if (this.#size === 0 && this.#slots.length > MOST_SLOTS_KEPT) this.#slots = emptySlots(LEAST_SLOTS);
  }

  /** Returns all items that are there now, the oldest first. */
  all(): readonly Item[] {
    return this.#slots.filter((item) => item !== undefined).sort((one, other) => one.id - other.id);
  }

  /** The slot of an item, or the one where it would be. */
  #slotOf(id: number): number {
    let slot = this.#firstSlotOf(id);
    for (let item = this.#slots[slot]; item !== undefined && item.id !== id; item = this.#slots[slot]) {
      slot = this.#after(slot);
    }
    return slot;
  }

  #firstSlotOf(id: number): number {
    return id & (this.#slots.length - 1);
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }

  #distance(from: number, to: number): number {
    return (to - from) & (this.#slots.length - 1);
  }

  #resize(length: number): void {
    const items = this.all();
    this.#slots = emptySlots(length);
    for (const item of items) this.#slots[this.#slotOf(item.id)] = item;
  }
}

/** Filled, since arrays with holes are slower. */
function emptySlots(length: number): undefined[] {
  return Array.from({ length }, () => undefined);
}
