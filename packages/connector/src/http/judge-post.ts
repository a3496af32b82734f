import { type Judgement, RequestFailure } from "@mcp-pool/core";
import { causesOf, systemCodeOf } from "../connect-failure.ts";
import type { SdkParts } from "../sdk-binding.ts";
import type { Leg } from "./post.ts";

type ResponseLeg = Extract<Leg, { readonly kind: "response" }>;

/** What is known about a request whose POST failed. */
export interface FailedPost {
  readonly id: number;
  /** The last leg; nothing was posted if there is none. */
  readonly leg: Leg | undefined;
  readonly currentSessionId: string | undefined;
  readonly sessionLostStatuses: readonly number[];
}

/** The address doesn't serve this request, or not now; it did not run. */
const NOT_TAKEN: ReadonlySet<number> = new Set([404, 405, 408, 410, 421, 425]);

const METHOD_NOT_FOUND = -32_601;

/** JSON-RPC's own codes: the server understood the session well enough to look at the request. */
const RPC_CODES: ReadonlySet<number> = new Set([-32_700, -32_600, METHOD_NOT_FOUND, -32_602, -32_603]);

/** Judges the failure of a request by what became of its POST. */
export function judgePost(error: unknown, post: FailedPost, sdk: Pick<SdkParts, "rpcError">): RequestFailure {
  const { leg } = post;
  if (leg === undefined) return failure("not-sent", reasonOf(error));
  if (leg.kind === "no-response") {
    const isUnsent = leg.wasConnected !== true && failedBeforeConnecting(leg.error);
    const judgement = isUnsent ? "not-sent" : "outcome-unknown";
    return failure(judgement, reasonOf(leg.error));
  }
  const judgement = judgeResponse(leg, post);
  const { rpcError } = leg;
  if (judgement === "answered" && rpcError !== undefined) {
    const cause = sdk.rpcError(rpcError.code, rpcError.message, rpcError.data);
    return new RequestFailure("answered", cause.message, { cause, httpStatus: leg.status });
  }
  return failure(judgement, `HTTP ${leg.status}`, leg.retryAfterMs, leg.status >= 300 ? leg.status : undefined);

  function failure(judgement: Judgement, message: string, retryAfterMs?: number, httpStatus?: number): RequestFailure {
    return new RequestFailure(judgement, message, { cause: error, retryAfterMs, httpStatus });
  }
}

function judgeResponse(leg: ResponseLeg, post: FailedPost): Judgement {
  const { status, rpcError } = leg;
  if (status === 429 || status === 503) return "overloaded";
  if (isSessionLost(leg, post)) return "session-lost";
  if (status === 401 || status === 403) return "unauthorised";
  if (rpcError !== undefined && (status < 500 || rpcError.id === post.id)) return "answered";
  // "See other" is said of what was done: the answer is elsewhere.
  if (status === 303) return "outcome-unknown";
  if (NOT_TAKEN.has(status) || (status >= 300 && status < 400)) return "not-sent";
  return status >= 400 && status < 500 ? "answered" : "outcome-unknown";
}

/** Only for the session that is still current: a late refusal of the one before says nothing about this one. */
function isSessionLost({ status, sessionId, rpcError }: ResponseLeg, post: FailedPost): boolean {
  if (sessionId === undefined || sessionId !== post.currentSessionId) return false;
  if (!post.sessionLostStatuses.includes(status)) return false;
  if (rpcError === undefined) return true;
  return status === 404 ? rpcError.code !== METHOD_NOT_FOUND : !RPC_CODES.has(rpcError.code);
}

const BEFORE_CONNECTING: ReadonlySet<string> = new Set([
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "EAI_FAIL",
  "ECONNREFUSED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);

const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$|EPROTO$)/;

/** Tells whether an error of fetch proves that no connection was made, so that nothing was sent on it. */
function failedBeforeConnecting(error: unknown): boolean {
  for (const cause of causesOf(error)) {
    if ("syscall" in cause && (cause.syscall === "connect" || cause.syscall === "getaddrinfo")) return true;
    if ("code" in cause && typeof cause.code === "string") {
      if (BEFORE_CONNECTING.has(cause.code) || TLS_CODE.test(cause.code)) return true;
    }
    // Node's words for a reset during the TLS handshake, whose code is a mere ECONNRESET.
    if (cause.message.includes("before secure TLS connection was established")) return true;
  }
  return false;
}

/** Says in a few words why fetch failed: "fetch failed" alone, its own message, never tells. */
export function reasonOf(error: unknown): string {
  const messages = [...causesOf(error)].map(({ message }) => message).filter((message) => message !== "");
  const code = systemCodeOf(error);
  const innermost = messages.at(-1) ?? code ?? String(error);
  return code === undefined || innermost.includes(code) ? innermost : `${innermost} (${code})`;
}
