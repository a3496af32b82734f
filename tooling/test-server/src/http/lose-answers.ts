import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { isJSONRPCErrorResponse, isJSONRPCResultResponse, type RequestId } from "@modelcontextprotocol/sdk/types.js";

/** Requests whose answers are to be lost, and what to do at the moment the answer would be sent. */
export type LostAnswers = Map<RequestId, () => void>;

/** Makes a transport lose answers: the request is executed, and the client never learns of it. */
export function loseAnswers(transport: Transport): LostAnswers {
  const lost: LostAnswers = new Map();
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    const isAnswer = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
    const lose = isAnswer && message.id !== undefined ? lost.get(message.id) : undefined;
    if (lose === undefined) return send(message, options);
    if (isAnswer && message.id !== undefined) lost.delete(message.id);
    lose();
  };
  return lost;
}

/** Names the ids of the requests in a body. */
export function requestIdsOf(body: unknown): readonly RequestId[] {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.flatMap((message) => {
    if (typeof message !== "object" || message === null || !("id" in message) || !("method" in message)) return [];
    return typeof message.id === "string" || typeof message.id === "number" ? [message.id] : [];
  });
}
