import { McpError } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, test } from "vitest";
import { judgePost } from "./judge-post.ts";
import { type Leg, rpcErrorOf } from "./post.ts";

const ID = 1_000_000_007;
const SDK = { rpcError: McpError.fromError };
const unreadable = new Error("as the SDK put it");

function judged(
  leg: Leg | undefined,
  { error = unreadable as unknown, currentSessionId = "s" as string | undefined } = {},
) {
  return judgePost(error, { id: ID, leg, currentSessionId, sessionLostStatuses: [404, 400] }, SDK);
}

function response(status: number, sessionId?: string, body?: unknown, retryAfterMs?: number): Leg {
  const rpcError = body === undefined ? undefined : rpcErrorOf(JSON.stringify(body));
  return { kind: "response", status, mediaType: undefined, retryAfterMs, sessionId, rpcError };
}

function rpc(code: number, id: unknown = null): unknown {
  return { jsonrpc: "2.0", id, error: { code, message: "no" } };
}

function networkError(code: string, more: object = {}): Leg {
  const cause = Object.assign(new Error(`happened: ${code}`), { code }, more);
  return { kind: "no-response", error: new TypeError("fetch failed", { cause }) };
}

describe("a response is judged", () => {
  test.each([
    ["429", response(429), "overloaded"],
    ["503 even with a JSON-RPC error", response(503, "s", rpc(-32_000)), "overloaded"],
    ["401", response(401, "s"), "unauthorised"],
    ["403 with a JSON-RPC error", response(403, "s", rpc(-32_000)), "unauthorised"],
    ["404 with the current session", response(404, "s"), "session-lost"],
    ["404 with the current session and -32001", response(404, "s", rpc(-32_001)), "session-lost"],
    ["404 with the current session and method not found", response(404, "s", rpc(-32_601, ID)), "answered"],
    ["303, which says where the outcome is", response(303), "outcome-unknown"],
    ["404 with a session that is no longer current", response(404, "old"), "not-sent"],
    ["404 without a session", response(404), "not-sent"],
    ["400 with the current session, declared as lost", response(400, "s", rpc(-32_000)), "session-lost"],
    ["400 with invalid params", response(400, "s", rpc(-32_602)), "answered"],
    ["400 without a session", response(400, undefined, rpc(-32_000)), "answered"],
    ["405", response(405), "not-sent"],
    ["410", response(410), "not-sent"],
    ["413 without a JSON-RPC error", response(413), "answered"],
    ["a redirect", response(307), "not-sent"],
    ["500", response(500), "outcome-unknown"],
    ["500 that answers this very request", response(500, "s", rpc(-32_603, ID)), "answered"],
    ["500 that answers nobody", response(500, "s", rpc(-32_603)), "outcome-unknown"],
    ["504", response(504), "outcome-unknown"],
    ["200 that could not be read", response(200), "outcome-unknown"],
  ])("%s", (_, leg, judgement) => {
    expect(judged(leg).judgement).toBe(judgement);
  });

  test("and keeps what the server asks for and what it says", () => {
    expect(judged(response(429, "s", undefined, 1_500))).toMatchObject({
      retryAfterMs: 1_500,
      httpStatus: 429,
      cause: unreadable,
    });
    expect(judged(response(200)).httpStatus).toBeUndefined();
    expect(judged(response(400, undefined, rpc(-32_602)))).toMatchObject({ cause: { code: -32_602 } });
  });
});

describe("a failed fetch is judged", () => {
  test.each([
    ["refused", networkError("ECONNREFUSED"), "not-sent"],
    ["unknown host", networkError("ENOTFOUND"), "not-sent"],
    ["DNS out of order", networkError("EAI_AGAIN"), "not-sent"],
    ["no route", networkError("EHOSTUNREACH"), "not-sent"],
    ["a connect that timed out", networkError("UND_ERR_CONNECT_TIMEOUT"), "not-sent"],
    ["a connect that the system timed out", networkError("ETIMEDOUT", { syscall: "connect" }), "not-sent"],
    ["a bad certificate", networkError("DEPTH_ZERO_SELF_SIGNED_CERT"), "not-sent"],
    ["a wrong host name", networkError("ERR_TLS_CERT_ALTNAME_INVALID"), "not-sent"],
    ["a reset", networkError("ECONNRESET"), "outcome-unknown"],
    ["a socket closed by the other side", networkError("UND_ERR_SOCKET"), "outcome-unknown"],
    ["a read that timed out", networkError("ETIMEDOUT", { syscall: "read" }), "outcome-unknown"],
    ["an abort", networkError("ABORT_ERR"), "outcome-unknown"],
    ["something unknown", { kind: "no-response", error: "odd" } as const, "outcome-unknown"],
  ])("%s", (_, leg, judgement) => {
    expect(judged(leg).judgement).toBe(judgement);
  });

  test("by all addresses of a host", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const cause = new AggregateError([refused, refused]);
    const leg = { kind: "no-response", error: new TypeError("fetch failed", { cause }) } as const;
    expect(judged(leg)).toMatchObject({ judgement: "not-sent", message: "connect ECONNREFUSED" });
  });

  test("as unknown when there was a socket, whatever the error says", () => {
    const cause = Object.assign(new Error("ssl alert number 80"), { code: "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR" });
    expect(judged({ kind: "no-response", error: cause, wasConnected: true }).judgement).toBe("outcome-unknown");
    expect(judged({ kind: "no-response", error: cause }).judgement).toBe("not-sent");
  });

  test("as not sent when nothing was posted", () => {
    expect(judged(undefined).judgement).toBe("not-sent");
  });
});
