import type { PendingRequest } from "./pending-request.ts";

/** Places for requests whose numbers follow each other closely; a power of two. */
const PLACES = 128;

/**
 * The open requests of a connection, by id. Ids are counted up, so that the last bits of an id name its place; who finds
 * the place taken, by a request that is open for long, goes into a map. A map alone makes a new table for every few
 * requests, since it never reuses the place of what was deleted.
 */
export class PendingRequests {
  readonly #places: (PendingRequest | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  readonly #others = new Map<number, PendingRequest>();

  get(id: number): PendingRequest | undefined {
    const found = this.#places[id & (PLACES - 1)];
    return found?.id === id ? found : this.#others.get(id);
  }

  add(request: PendingRequest): void {
    const place = request.id & (PLACES - 1);
    if (this.#places[place] === undefined) this.#places[place] = request;
    else this.#others.set(request.id, request);
  }

  delete(request: PendingRequest): void {
    const place = request.id & (PLACES - 1);
    if (this.#places[place] === request) this.#places[place] = undefined;
    else this.#others.delete(request.id);
  }

  /** All of them, oldest first. */
  all(): readonly PendingRequest[] {
    const placed = this.#places.filter((each) => each !== undefined);
    return [...placed, ...this.#others.values()].sort((one, other) => one.id - other.id);
  }
}
