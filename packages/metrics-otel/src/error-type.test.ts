import {
  type Judgement,
  McpConnectionError,
  McpConnectionPool,
  McpPoolExhaustedError,
  McpTimeoutError,
} from "@mcp-pool/core";
import { FakeClock, judged, ScriptedConnector } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { attemptError, poolErrorType, requestError } from "./error-type.ts";

const system = Object.assign(new Error("connect ECONNREFUSED 10.1.2.3:80"), { code: "ECONNREFUSED" });

/** Has a real pool fail a request, and returns how its attempt and its caller would be told. */
async function typesOf(judgement: Judgement, options: { cause?: unknown; httpStatus?: number } = {}) {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock });
  connector.onRequest.next(judged(judgement, "a message with token=s3cret", options));
  const pool = new McpConnectionPool(connector, { minConnections: 0 }, [], { clock });
  const error: unknown = await pool.request("tools/call", { name: "a" }).catch((reason: unknown) => reason);
  await pool.close();
  return { attempt: attemptError(judgement, false, error), request: requestError(error) };
}

describe("the type of an error", () => {
  it.each([
    ["answered", { cause: Object.assign(new Error("no"), { code: -32602 }) }, "-32602", "-32602"],
    ["answered", { httpStatus: 413 }, "413", undefined],
    ["answered", {}, "_OTHER", undefined],
    ["timed-out", {}, "timeout", undefined],
    ["overloaded", { httpStatus: 429 }, "429", undefined],
    ["unauthorised", { httpStatus: 401 }, "401", undefined],
    ["session-lost", {}, "session-lost", undefined],
    ["not-sent", { cause: system }, "ECONNREFUSED", undefined],
    ["not-sent", { cause: new TypeError("fetch failed", { cause: system }) }, "ECONNREFUSED", undefined],
    ["outcome-unknown", {}, "outcome-unknown", undefined],
    ["outcome-unknown", { cause: Object.assign(new Error("no"), { code: "a message" }) }, "outcome-unknown", undefined],
  ] as const)("of an attempt that was %s with %o is %s", async (judgement, options, type, rpcStatus) => {
    const { attempt, request } = await typesOf(judgement, options);
    expect(attempt).toEqual({ type, rpcStatus });
    expect(request, "the span says the same").toEqual(attempt);
  });

  it("of a tool's own failure is tool_error; there is none for a success", () => {
    expect(attemptError("ok", true, undefined)).toEqual({ type: "tool_error", rpcStatus: undefined });
    expect(attemptError("ok", false, undefined)).toBeUndefined();
    expect(attemptError("aborted", false, "enough")).toEqual({ type: "aborted", rpcStatus: undefined });
  });

  it("of a pool's error is its code, the system's where there is one, and never a message", () => {
    expect(poolErrorType(new McpPoolExhaustedError("no room"))).toBe("POOL_EXHAUSTED");
    expect(poolErrorType(new McpConnectionError("refused", { cause: system }))).toBe("ECONNREFUSED");
    expect(poolErrorType(new McpConnectionError("refused"))).toBe("CONNECTION_FAILED");
    expect(poolErrorType(new McpTimeoutError("late", { phase: "connect", outcome: "not-sent" }))).toBe("timeout");
    expect(poolErrorType(new Error("the caller's own reason"))).toBe("aborted");
    expect(requestError(new Error("a plugin's bug"))).toEqual({ type: "_OTHER", rpcStatus: undefined });
  });
});
