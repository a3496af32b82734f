import type { ConnectionRequestOptions } from "@mcp-pool/core";

const CALL = Symbol("the call that a message of the SDK's client belongs to");

/** One request of the pool on its way through the SDK's client, which may send several messages for it. */
export class Call {
  readonly options: ConnectionRequestOptions;
  /** Messages sent so far. */
  legs = 0;
  /** Messages that wait for their answers. */
  openLegs = 0;
  /** Whether the server has wanted input for it: what it did until then may have left something behind. */
  hasBegun = false;

  constructor(options: ConnectionRequestOptions) {
    this.options = options;
  }

  /** Returns parameters by which messages are known to be this call's; the mark is not written to the wire. */
  mark<Params extends object>(params: Params | undefined): Params {
    return { ...params, [CALL]: this } as unknown as Params;
  }
}

/** Returns the call that a message belongs to; the SDK's client copies parameters, marks included. */
export function callOf(params: unknown): Call | undefined {
  if (typeof params !== "object" || params === null || !(CALL in params)) return undefined;
  return params[CALL] instanceof Call ? params[CALL] : undefined;
}
