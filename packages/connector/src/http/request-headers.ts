import type { RequestHeaders } from "@mcp-pool/core";

/** Headers the transport itself answers for; nobody else may set them. */
const PROTOCOL_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
  "transfer-encoding",
  "upgrade",
]);

/** Headers by their lower-case names. */
export type PlainHeaders = Record<string, string>;

/** What a request's headers are joined of, by rising rank. */
export interface HeaderRanks {
  /** The connector's. */
  readonly own: RequestHeaders;
  /** Those the SDK sets. */
  readonly sdk: RequestInit["headers"];
  /** Goes with those of the SDK. */
  readonly token?: string | undefined;
  /** Those of this one request. */
  readonly request?: RequestHeaders | undefined;
}

/** Joins headers; a plain object is what costs least to make, and to send. */
export function joinHeaders({ own, sdk, token, request }: HeaderRanks): PlainHeaders {
  const headers: PlainHeaders = {};
  add(headers, own);
  for (const [name, value] of sdk instanceof Headers ? sdk : new Headers(sdk)) headers[name] = value;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (request !== undefined) add(headers, request);
  return headers;
}

function add(headers: PlainHeaders, extra: RequestHeaders): void {
  for (const [name, value] of Object.entries(extra)) {
    const lowerCase = name.toLowerCase();
    if (!PROTOCOL_HEADERS.has(lowerCase)) headers[lowerCase] = value;
  }
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
