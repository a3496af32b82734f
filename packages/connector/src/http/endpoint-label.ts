/** Long runs of letters and digits mixed, as tokens in paths are. */
const TOKEN_LIKE = /^(?=.*\d)(?=.*[a-z])[\w~.=-]{20,}$/i;

/** Shows where a URL leads: no credentials, no query, and no path segment that looks like a token. */
export function endpointLabel(url: URL): string {
  const path = url.pathname
    .split("/")
    .map((segment) => (TOKEN_LIKE.test(segment) ? "[redacted]" : segment))
    .join("/");
  return `${url.origin}${path}${url.search === "" ? "" : "?[redacted]"}`;
}
