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
  own: Readonly<Record<string, string>>,
  sdk: RequestInit["headers"],
  request: Readonly<Record<string, string>> | undefined,
): Headers {
  const headers = new Headers();
  const set = (extra: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(extra)) {
      if (!PROTOCOL_HEADERS.has(name.toLowerCase())) headers.set(name, value);
    }
  };
  set(own);
  for (const [name, value] of new Headers(sdk)) headers.set(name, value);
  if (request !== undefined) set(request);
  return headers;
}
