import type { ConnectRequest } from "@mcp-pool/core";
import { ConnectFailure } from "../connect-failure.ts";
import type { ClientSettings } from "./client-options.ts";
import type { Link } from "./link.ts";
import { type SdkClient, SdkConnection } from "./sdk-connection.ts";

/** Longest time-out Node.js accepts, so that the SDK's own timer never fires before ours. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** With what a connection is opened. */
export interface ConnectionParts {
  /** Makes the handshake, and answers the server's requests. */
  readonly client: SdkClient;
  /** What users get as the SDK's own client. */
  readonly raw: unknown;
  readonly settings: ClientSettings;
}

/**
 * Opens a connection over a link, within the request's time and signal. When that fails, nothing of it is left.
 * @throws {ConnectFailure} or the signal's reason
 */
export async function openConnection(
  link: Link,
  request: ConnectRequest,
  { client, raw, settings }: ConnectionParts,
): Promise<SdkConnection> {
  if (request.signal.aborted) {
    await link.end("hurried");
    throw abortError(request.signal, link);
  }
  const connection = new SdkConnection(client, raw, link, settings.suggestedConcurrency);
  try {
    await withinBounds(client.connect(connection.exchange, { timeout: MAX_TIMEOUT_MS }), request);
    if (connection.exchange.hasEnded) throw new Error("the connection closed during the handshake");
    connection.opened(client.modernProtocol?.(connection.exchange));
    return connection;
  } catch (error) {
    // Made before the ending, which leaves its own marks (an exit by SIGTERM, say).
    const failure = openFailure(error instanceof BoundReached ? error : (link.lostCause() ?? error), link);
    await connection.close("lost");
    throw request.signal.aborted ? abortError(request.signal, link) : failure;
  }
}

/** The time for an opening is up. */
class BoundReached extends Error {
  override readonly name: string = "BoundReached";
  readonly code = "ETIMEDOUT";
}

function withinBounds(opening: Promise<void>, { signal, timeoutMs }: ConnectRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      settle();
    };
    const abort = (): void => finish(() => reject(new Error("aborted")));
    const timeOut = (): void =>
      finish(() => reject(new BoundReached(`the handshake took longer than ${Math.round(timeoutMs)} ms`)));
    const timer = setTimeout(timeOut, Math.min(timeoutMs, MAX_TIMEOUT_MS));
    signal.addEventListener("abort", abort, { once: true });
    opening.then(
      () => finish(resolve),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}

/** Makes the error of an aborted opening: the signal's own reason where that is an error. */
function abortError(signal: AbortSignal, link: Pick<Link, "label">): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof Error) return reason;
  return new ConnectFailure(`${link.label}: connecting was aborted`, { judgement: "aborted", cause: reason });
}

function openFailure(cause: unknown, link: Link): ConnectFailure {
  const { reason, judgement, retryAfterMs, code } = link.explain(cause);
  // The SDK puts all that is wrong with an answer on lines of its own.
  const line = reason.replace(/\s*\n\s*/g, " ");
  return new ConnectFailure(`${link.label}: ${line}`, { judgement, retryAfterMs, code, cause });
}
