import { setTimeout as delay } from "node:timers/promises";
import { type ClientHandlers, type HandlerContext, RequestFailure } from "@mcp-pool/core";
import { isInputRequiredResult } from "@modelcontextprotocol/client";

/** As many as the SDK's client allows. */
const MAX_ROUNDS = 10;
/** The pause before a server is asked again that wants nothing but its state back, as in the SDK's client. */
const PAUSE_MS = 250;

type Params = Readonly<Record<string, unknown>>;

/**
 * Sends a request, and again with answers for as long as the server wants input first. The answers come from the handlers
 * of that very request, and the server's state goes back as it came.
 */
export async function runRounds(
  params: Params,
  send: (params: Params) => Promise<unknown>,
  handlers: ClientHandlers,
  context: HandlerContext,
): Promise<unknown> {
  let result = await send(params);
  for (let round = 1; isInputRequiredResult(result); round++) {
    if (round > MAX_ROUNDS) throw refusal(`the server still wants input after ${MAX_ROUNDS} rounds`);
    const { inputRequests = {}, requestState } = result;
    const inputResponses = await answerAll(inputRequests, handlers, context);
    const hasAnswers = Object.keys(inputResponses).length > 0;
    if (!hasAnswers) await delay(PAUSE_MS, undefined, { signal: context.signal, ref: false });
    const next = {
      ...params,
      ...(hasAnswers && { inputResponses }),
      ...(requestState !== undefined && { requestState }),
    };
    result = await send(next);
  }
  return result;
}

/** Answers all questions at one time; the first failure has the other handlers told to stop. */
async function answerAll(requests: Params, handlers: ClientHandlers, context: HandlerContext): Promise<Params> {
  const others = new AbortController();
  const signal = AbortSignal.any([context.signal, others.signal]);
  const answers = Object.entries(requests).map(async ([key, question]) => {
    try {
      return [key, await answer(question, handlers, { ...context, signal })] as const;
    } catch (error) {
      others.abort(error);
      throw error;
    }
  });
  return Object.fromEntries(await Promise.all(answers));
}

async function answer(question: unknown, handlers: ClientHandlers, context: HandlerContext): Promise<unknown> {
  const { method, params = {} } = question as { method?: unknown; params?: Record<string, unknown> };
  switch (method) {
    case "sampling/createMessage": {
      const { sampling = missing("sampling") } = handlers;
      return sampling(params as unknown as Parameters<typeof sampling>[0], context);
    }
    case "elicitation/create": {
      const { elicitation = missing("elicitation") } = handlers;
      const asked = { mode: "form", ...params };
      const answered = await elicitation(asked as unknown as Parameters<typeof elicitation>[0], context);
      return handlers.features?.elicitation?.form?.applyDefaults ? withDefaults(answered, params) : answered;
    }
    case "roots/list": {
      const { roots = missing("roots") } = handlers;
      return { roots: await roots(context) };
    }
    default:
      throw refusal(`the server asks for ${JSON.stringify(method)}, which no revision knows`);
  }
}

/** Fills in what an accepted form left out and its schema has a default for. */
function withDefaults(answered: { readonly action: string; readonly content?: unknown }, params: Params): unknown {
  const { properties } = { properties: {}, ...(params.requestedSchema as { properties?: object } | undefined) };
  if (answered.action !== "accept") return answered;
  const defaults = Object.entries(properties).flatMap(([name, schema]: [string, unknown]) =>
    typeof schema === "object" && schema !== null && "default" in schema ? [[name, schema.default]] : [],
  );
  return { ...answered, content: { ...Object.fromEntries(defaults), ...(answered.content as object | undefined) } };
}

function missing(kind: string): () => never {
  return () => {
    throw refusal(`the server asks for ${kind}, and there is no handler for it`);
  };
}

/** The server has answered so far, so the connection is fine and a repetition would meet the same. */
function refusal(message: string): RequestFailure {
  return new RequestFailure("answered", message);
}
