import type { ConnectionRequestOptions, McpConnection, RequestEnd, StartedRequest } from "./connector.ts";

/**
 * Starts a request on a connection that tells of its end by a promise only.
 * @param onFailure takes the failure in place of `end`
 * @throws what `request` throws
 */
export function startByPromise(
  connection: McpConnection,
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  options: Omit<ConnectionRequestOptions, "signal">,
  end: RequestEnd,
  onFailure: RequestEnd["onFailure"],
): StartedRequest {
  const controller = new AbortController();
  const { signal } = controller;
  Promise.resolve(connection.request(method, params, { ...options, signal })).then(
    (result) => end.onResult(result),
    onFailure,
  );
  return controller;
}
