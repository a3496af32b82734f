import type { ConnectionEntry } from "./connection-entry.ts";
import type { DispatcherHost } from "./dispatcher-host.ts";
import type { Growth } from "./growth.ts";
import { LateSet } from "./late-collections.ts";
import { LinkedList } from "./linked-list.ts";
import type { WaitQueue } from "./wait-queue.ts";
import type { Waiter, WaitTerms } from "./waiter.ts";

/** What the side lines ask of their pool. */
export interface SideLinesHost {
  readonly queue: WaitQueue;
  readonly growth: Growth;
  /** Grants room, if the server's limit leaves a unit for it. */
  tryGrant(waiter: Waiter, entry: ConnectionEntry): boolean;
}

/** Callers of the bounded queue that wait for something else than the next room, and so are in nobody's way. */
export class SideLines {
  /** Callers that wait for a connection that is opened from now on. */
  readonly fresh: LinkedList<Waiter> = new LinkedList();
  readonly #gate: Pick<DispatcherHost, "admit">;
  readonly #host: SideLinesHost;
  /** Lines whose callers somebody else sends on. */
  readonly #others = new LateSet<LinkedList<Waiter>>();

  /** @param gate says whom plugins refuse */
  constructor(gate: Pick<DispatcherHost, "admit">, host: SideLinesHost) {
    this.#gate = gate;
    this.#host = host;
  }

  /** Adds a line whose callers somebody else sends on. */
  add(line: LinkedList<Waiter>): void {
    this.#others.add(line);
  }

  /** Waits for a connection that is opened from now on; for any, once none can come. */
  waitFresh<Granted>(terms: WaitTerms<Granted>): Promise<Granted> {
    const promise = this.#host.queue.add(terms, this.fresh, "opening");
    this.#host.growth.grow();
    return promise;
  }

  /** Refuses those whom plugins refuse, and sends on who waits for a new connection when none can come. */
  sort(): void {
    const { queue, growth } = this.#host;
    if (queue.size === queue.length) return;
    for (const line of this.#lines()) {
      for (const waiter of line) {
        const refusal = this.#gate.admit(waiter.terms.asker);
        if (refusal !== undefined) queue.reject(waiter, refusal);
      }
    }
    if (this.fresh.size === 0 || growth.isOpening || growth.canOpen) return;
    for (const waiter of [...this.fresh]) queue.requeue(waiter);
  }

  /** A new connection serves those first who waited for just that. */
  serveFresh(entry: ConnectionEntry): void {
    const { queue, tryGrant } = this.#host;
    for (let waiter = this.fresh.head; waiter !== undefined && entry.state === "ready"; waiter = this.fresh.head) {
      const refusal = this.#gate.admit(waiter.terms.asker);
      if (refusal !== undefined) queue.reject(waiter, refusal);
      else if (!tryGrant(waiter, entry)) queue.requeue(waiter);
    }
  }

  rejectAll(error: unknown): void {
    for (const line of this.#lines()) for (const waiter of [...line]) this.#host.queue.reject(waiter, error);
  }

  *#lines(): IterableIterator<LinkedList<Waiter>> {
    yield this.fresh;
    yield* this.#others;
  }
}
