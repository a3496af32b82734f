import type { PoolContext } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { LateMap } from "./late-collections.ts";
import { LinkedList } from "./linked-list.ts";
import type { PoolRequest } from "./plugin.ts";
import { targetOf } from "./request-errors.ts";
import { InFlightLimit, type LimitWaiter } from "./server-state.ts";
import type { Waiter } from "./waiter.ts";

/** One call's part of a tool's limit, from the grant until nothing of the call is left at the server. */
export interface ToolUnit {
  isHeld: boolean;
}

/** Bounds the calls of one tool in flight, over all pools of the server. Those beyond it wait without being in anybody's way. */
export class ToolBulkhead implements LimitWaiter {
  readonly limit: InFlightLimit;
  readonly waiters: LinkedList<Waiter> = new LinkedList();
  readonly #dispatcher: Dispatcher;

  constructor(limit: InFlightLimit, dispatcher: Dispatcher) {
    this.limit = limit;
    this.#dispatcher = dispatcher;
    dispatcher.sides.add(this.waiters);
  }

  /** Units are free: as many callers as there are join the line for room. */
  dispatch(): void {
    for (let waiter = this.waiters.head; waiter !== undefined && this.limit.take(this); waiter = this.waiters.head) {
      if (waiter.terms.unit !== undefined) waiter.terms.unit.isHeld = true;
      this.#dispatcher.queue.requeue(waiter);
    }
    this.#dispatcher.dispatch();
  }
}

/** The limits of single tools, as far as the options name some. */
export class ToolBulkheads {
  readonly #context: PoolContext;
  readonly #dispatcher: Dispatcher;
  readonly #bulkheads = new LateMap<string, ToolBulkhead>();

  constructor(context: PoolContext, dispatcher: Dispatcher) {
    this.#context = context;
    this.#dispatcher = dispatcher;
  }

  /** Returns the bulkhead that a request has to pass, if there is one. */
  of(request: PoolRequest): ToolBulkhead | undefined {
    const { tools } = this.#context.options;
    if (tools === undefined || request.method !== "tools/call") return undefined;
    const name = targetOf(request) ?? "";
    const max = tools.get(name)?.maxConcurrent;
    if (max === undefined) return undefined;
    const { toolLimits } = this.#context.server;
    let limit = toolLimits.get(name);
    if (limit === undefined) {
      limit = new InFlightLimit(max);
      toolLimits.set(name, limit);
    }
    if (limit.max !== max) limit.max = max;
    let bulkhead = this.#bulkheads.get(name);
    if (bulkhead === undefined) {
      bulkhead = new ToolBulkhead(limit, this.#dispatcher);
      this.#bulkheads.set(name, bulkhead);
    }
    return bulkhead;
  }

  /** Leaves the limits that other pools of the server share. */
  close(): void {
    for (const bulkhead of this.#bulkheads.values()) bulkhead.limit.leave(bulkhead);
  }
}
