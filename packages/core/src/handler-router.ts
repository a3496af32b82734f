import { type ClientHandlers, type HandlerKind, kindsOf } from "./client-handlers.ts";
import type { ConnectionEntry } from "./connection-entry.ts";
import type { PoolContext } from "./context.ts";
import type { McpValidationError } from "./errors.ts";
import type { ResolvedPoolOptions } from "./options.ts";
import { invalid } from "./request-options.ts";

/** JSON-RPC: method not found. */
const METHOD_NOT_FOUND = -32_601;

/** What a server is answered when nobody is there to answer it. */
class NoHandler extends Error {
  override readonly name: string = "NoHandler";
  readonly code = METHOD_NOT_FOUND;
}

/**
 * Passes what the server of one connection asks to whoever is in charge there and then. A connection of the earlier
 * protocol doesn't say for which request the server asks. So the call under way or the lease that has the connection to
 * itself answers, if it brought a handler; the pool's handlers answer the rest.
 */
export class HandlerRouter {
  /** What the connection announces; fixed, since a server is told once. */
  readonly kinds: ReadonlySet<HandlerKind>;
  /** The connection, once it is open. */
  entry: ConnectionEntry | undefined;
  readonly #context: PoolContext;

  constructor(context: PoolContext) {
    this.#context = context;
    this.kinds = announcedKinds(context.options);
  }

  /** The handlers that the connection is opened with. */
  get handlers(): ClientHandlers | undefined {
    if (this.kinds.size === 0) return undefined;
    const has = (kind: HandlerKind) => this.kinds.has(kind);
    const { features } = this.#context.options.handlers ?? {};
    return {
      ...(has("sampling") && {
        sampling: (params, context) => this.#ask("sampling", (handler) => handler(params, context)),
      }),
      ...(has("elicitation") && {
        elicitation: (params, context) => this.#ask("elicitation", (handler) => handler(params, context)),
      }),
      ...(has("roots") && { roots: (context) => this.#ask("roots", (handler) => handler(context)) }),
      ...(features !== undefined && { features }),
    };
  }

  async #ask<Kind extends HandlerKind, Answer>(
    kind: Kind,
    call: (handler: NonNullable<ClientHandlers[Kind]>) => Answer | Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await call(this.#inCharge(kind));
    } catch (error) {
      this.#context.events.emit({ type: "handler-failed", connectionId: this.entry?.id, kind, error });
      throw error;
    }
  }

  #inCharge<Kind extends HandlerKind>(kind: Kind): NonNullable<ClientHandlers[Kind]> {
    const { options, serverName } = this.#context;
    const { entry } = this;
    const own = entry !== undefined && options.sharing === "exclusive" ? ofHolder(entry, kind) : undefined;
    const handler = own ?? options.handlers?.[kind];
    if (handler !== undefined) return handler as NonNullable<ClientHandlers[Kind]>;
    throw new NoHandler(`nobody here answers ${kind} for "${serverName}" now`);
  }
}

/** Whether a server must be told anew what it may ask, which takes another connection: up to 2025-11-25 it is told once. */
export function announcesOtherwise(old: ResolvedPoolOptions, now: ResolvedPoolOptions): boolean {
  const [before, after] = [announcedKinds(old), announcedKinds(now)];
  if (before.size !== after.size) return true;
  return [...after].some(
    (kind) => !before.has(kind) || !isSame(old.handlers?.features?.[kind], now.handlers?.features?.[kind]),
  );
}

function announcedKinds({ handlers, leaseHandlers }: ResolvedPoolOptions): ReadonlySet<HandlerKind> {
  return new Set([...kindsOf(handlers), ...leaseHandlers]);
}

/** Features are plain data; in another order they count as changed, which costs a connection and no more. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Of several calls on one lease none can be told from the others, so that the lease itself answers then. */
function ofHolder(entry: ConnectionEntry, kind: HandlerKind): ClientHandlers[HandlerKind] {
  const ofCalls = [...entry.attempts].map((attempt) => attempt.handlers?.[kind]).filter((each) => each !== undefined);
  return ofCalls.length === 1 ? ofCalls[0] : entry.leaseHandlers?.[kind];
}

/** Returns why handlers of one lease or one call cannot be asked on a connection, if they cannot. */
export function attributionProblem(
  handlers: ClientHandlers,
  { era, announced }: ConnectionEntry,
  { options, serverName }: PoolContext,
): McpValidationError | undefined {
  if (era === "modern") return undefined;
  if (options.sharing === "shared") {
    const why = "its server cannot say whom it asks on a shared connection";
    return invalid("handlers", `need sharing "exclusive", or handlers of the whole pool: ${why}`, serverName);
  }
  const missing = kindsOf(handlers).filter((kind) => !announced.has(kind));
  if (missing.length === 0) return undefined;
  const what = missing.join(" and ");
  return invalid("handlers", `answer ${what}, which the server was not told of: name it in leaseHandlers`, serverName);
}
