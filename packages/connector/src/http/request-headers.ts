import type { RequestHeaders } from "@mcp-pool/core";

/** Headers the transport itself answers for; nobody else may set them. */
const PROTOCOL_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "connection",
  "content-length",
  "content-type",
  "host",
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
  "transfer-encoding",
]);

/** Joins headers of rising rank: the connector's, those the SDK sets, those of this one request. */
export function joinHeaders(
  own: RequestHeaders,
  sdk: RequestInit["headers"],
  request: RequestHeaders | undefined,
): Headers {
  const headers = new Headers();
  const set = (extra: RequestHeaders): void => {
    for (const [name, value] of Object.entries(extra)) {
      if (!PROTOCOL_HEADERS.has(name.toLowerCase())) headers.set(name, value);
    }
  };
  set(own);
  for (const [name, value] of new Headers(sdk)) headers.set(name, value);
  if (request !== undefined) set(request);
  return headers;
}

/** Names the headers that HTTP does not allow. Node.js would quote their values, which may be secrets. */
export function badHeaders(headers: RequestHeaders): readonly string[] {
  const isBad = ([name, value]: [string, string]): boolean => {
    try {
      new Headers([[name, value]]);
      return false;
    } catch {
      return true;
    }
  };
  return Object.entries(headers)
    .filter(isBad)
    .map(([name]) => name);
}
