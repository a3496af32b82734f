import type {
  ClientFeatures,
  CreateMessageParams,
  CreateMessageResult,
  ElicitParams,
  ElicitResult,
  Root,
} from "./client-protocol.ts";

/** Tells a handler for whom it answers. */
export interface HandlerContext {
  readonly serverName: string;
  /** On whose behalf the connection was opened. */
  readonly identity: string | undefined;
  /** Aborts when the server no longer waits for the answer. */
  readonly signal: AbortSignal;
}

/**
 * Answers what a server asks of its client. Servers are told of those features only for which there is a handler.
 * What a handler throws goes to the server as the answer.
 */
export interface ClientHandlers {
  /** Has a model write a message: `sampling/createMessage`. */
  readonly sampling?:
    | ((params: CreateMessageParams, context: HandlerContext) => CreateMessageResult | Promise<CreateMessageResult>)
    | undefined;
  /** Asks the user: `elicitation/create`. */
  readonly elicitation?:
    | ((params: ElicitParams, context: HandlerContext) => ElicitResult | Promise<ElicitResult>)
    | undefined;
  /** Lists the folders that the server may work in: `roots/list`. */
  readonly roots?: ((context: HandlerContext) => readonly Root[] | Promise<readonly Root[]>) | undefined;
  /** Says more of the features than that they are there. What it says of one without a handler counts for nothing. */
  readonly features?: ClientFeatures | undefined;
}

/** One thing that a server may ask of its client. */
export type HandlerKind = "sampling" | "elicitation" | "roots";

export const HANDLER_KINDS: readonly HandlerKind[] = ["sampling", "elicitation", "roots"];

/** Returns the kinds that handlers are given for. */
export function kindsOf(handlers: ClientHandlers | undefined): readonly HandlerKind[] {
  return handlers === undefined ? [] : HANDLER_KINDS.filter((kind) => handlers[kind] !== undefined);
}

/** Puts handlers together; the first ones that are given for a kind answer it. */
export function mergeHandlers(...layers: readonly (ClientHandlers | undefined)[]): ClientHandlers | undefined {
  const given = layers.filter((layer) => layer !== undefined);
  if (given.length < 2) return given[0];
  const first = <Key extends keyof ClientHandlers>(key: Key): ClientHandlers[Key] =>
    given.find((layer) => layer[key] !== undefined)?.[key];
  const features = Object.assign({}, ...given.map((layer) => layer.features).reverse()) as ClientFeatures;
  return { sampling: first("sampling"), elicitation: first("elicitation"), roots: first("roots"), features };
}

/** Says what is wrong with handlers, if something is. */
export function handlersProblem(handlers: unknown): string | undefined {
  if (typeof handlers !== "object" || handlers === null || Array.isArray(handlers)) {
    return "must be an object with functions by kind: sampling, elicitation, roots";
  }
  for (const [key, value] of Object.entries(handlers)) {
    if (key === "features") {
      if (value !== undefined && (typeof value !== "object" || value === null)) return "features must be an object";
    } else if (!HANDLER_KINDS.includes(key as HandlerKind)) {
      return `has no kind ${JSON.stringify(key)}; there are ${HANDLER_KINDS.join(", ")}`;
    } else if (value !== undefined && typeof value !== "function") {
      return `${key} must be a function, not ${value === null ? "null" : typeof value}`;
    }
  }
  return undefined;
}
