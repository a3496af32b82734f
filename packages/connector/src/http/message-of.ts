import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

/**
 * Checks that a value is a JSON-RPC message. What it carries is checked by whom it is for.
 * @throws an Error that says what is wrong with it
 */
export function messageOf(value: unknown): JSONRPCMessage {
  if (!isObject(value) || value.jsonrpc !== "2.0") throw new Error("the server sent something that is no JSON-RPC 2.0");
  if (!("method" in value ? isCall(value) : isAnswer(value))) {
    throw new Error("the server sent a JSON-RPC message that is neither a request, a notification nor an answer");
  }
  return value as unknown as JSONRPCMessage;
}

function isCall({ method, id, params }: Readonly<Record<string, unknown>>): boolean {
  return typeof method === "string" && (id === undefined || isId(id)) && (params === undefined || isObject(params));
}

function isAnswer({ id, result, error }: Readonly<Record<string, unknown>>): boolean {
  if (error === undefined) return isId(id) && isObject(result);
  if (result !== undefined || !(id === undefined || isId(id)) || !isObject(error)) return false;
  return Number.isSafeInteger(error.code) && typeof error.message === "string";
}

function isId(value: unknown): boolean {
  return typeof value === "string" || Number.isSafeInteger(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
