/** What the next matching requests meet instead of, or after, their execution. */
export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly rpcCode: number | undefined;
    }
  | { readonly kind: "drip" }
  | { readonly kind: "reset"; readonly when: FaultMoment }
  | { readonly kind: "hang"; readonly when: FaultMoment };

/** Before: the request never reaches the server. After: it is executed, and its answer is lost. */
export type FaultMoment = "before" | "after";

/** Which requests a fault is for. */
export interface FaultTarget {
  /** Meets this many requests. @default 1 */
  readonly count?: number;
  /** Meets only this JSON-RPC method, such as `tools/call`. @default any */
  readonly method?: string;
  /** Meets only this HTTP method. @default "POST" */
  readonly httpMethod?: "POST" | "GET" | "DELETE";
}

interface QueuedFault {
  readonly fault: Fault;
  readonly method: string | undefined;
  readonly httpMethod: string;
  left: number;
}

/** Holds the faults that tests asked for, first come first served. */
export class FaultQueue {
  #queued: QueuedFault[] = [];

  add(fault: Fault, { count = 1, method, httpMethod = "POST" }: FaultTarget): void {
    this.#queued.push({ fault, method, httpMethod, left: count });
  }

  take(httpMethod: string | undefined, methods: readonly string[]): Fault | undefined {
    const found = this.#queued.find(
      (queued) => queued.httpMethod === httpMethod && (queued.method === undefined || methods.includes(queued.method)),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    this.#queued = this.#queued.filter((queued) => queued.left > 0);
    return found.fault;
  }

  clear(): void {
    this.#queued = [];
  }
}
