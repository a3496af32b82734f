import type { ConnectionRequestOptions, McpConnection, RequestEnd, StartedRequest } from "./connector.ts";
import type { EventHub } from "./event-hub.ts";

/**
 * Starts a request on a connection that tells of its end by a promise only.
 * @param onFailure takes the failure in place of `end`
 * @throws what `request` throws
 */
export function startByPromise(
  connection: McpConnection,
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  { onProgress, headers, handlers }: Omit<ConnectionRequestOptions, "signal">,
  end: RequestEnd,
  onFailure: RequestEnd["onFailure"],
): StartedRequest {
  const controller = new AbortController();
  const { signal } = controller;
  Promise.resolve(connection.request(method, params, { signal, onProgress, headers, handlers })).then(
    (result) => end.onResult(result),
    onFailure,
  );
  return controller;
}

/** Tells a connection that nobody waits for a request any more. What it throws must not keep the caller from going. */
export function abortStarted(started: StartedRequest | undefined, reason: unknown, events: EventHub): void {
  try {
    started?.abort(reason);
  } catch (error) {
    events.emit({ type: "listener-failed", error });
  }
}
