import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";

/** RFC 6265, 6.1: what every user agent should be able to keep. */
const MAX_COOKIES = 50;
const MAX_COOKIE_BYTES = 4_096;

/** One cookie of the server's. */
interface Cookie {
  readonly value: string;
  /** Prefix of the paths it is for. */
  readonly path: string;
}

/**
 * Keeps the cookies that a server sets, for one connection and the server's own origin. A load balancer in front of
 * several replicas tells by them which replica has the session; without them every other request would miss it.
 * Follows RFC 6265 as far as that takes: `Max-Age`, `Expires`, `Path` and `Secure`.
 */
export function keepCookies(next: FetchLike, server: URL): FetchLike {
  const jar = new Map<string, Cookie>();
  return async (url, init) => {
    const target = new URL(url);
    if (target.origin !== server.origin) return next(url, init);
    const cookies = [...jar].filter(([, { path }]) => isWithin(target.pathname, path));
    const response = await next(url, cookies.length === 0 ? init : withCookies(init, cookies));
    // Headers that another fetch brings may be of an older make.
    for (const line of response.headers.getSetCookie?.() ?? []) note(jar, line, target);
    return response;
  };
}

/** Cookies that the caller sets rank above these. */
function withCookies(init: RequestInit | undefined, cookies: readonly [string, Cookie][]): RequestInit {
  const headers = new Headers(init?.headers);
  if (!headers.has("cookie")) headers.set("cookie", cookies.map(([name, { value }]) => `${name}=${value}`).join("; "));
  return { ...init, headers };
}

function note(jar: Map<string, Cookie>, line: string, target: URL): void {
  const [pair = "", ...rest] = line.split(";");
  const end = pair.indexOf("=");
  const name = pair.slice(0, end).trim();
  if (end < 1 || name === "" || line.length > MAX_COOKIE_BYTES) return;
  const attributes = new Map(rest.map((each) => splitAttribute(each)));
  if (attributes.has("secure") && target.protocol !== "https:") return;
  if (isOver(attributes)) {
    jar.delete(name);
    return;
  }
  const path = attributes.get("path");
  jar.set(name, { value: pair.slice(end + 1).trim(), path: path?.startsWith("/") === true ? path : "/" });
  const [oldest] = jar.keys();
  if (oldest !== undefined && jar.size > MAX_COOKIES) jar.delete(oldest);
}

function splitAttribute(text: string): [name: string, value: string] {
  const [name = "", ...value] = text.split("=");
  return [name.trim().toLowerCase(), value.join("=").trim()];
}

/** Whether the server takes a cookie back. One that ends later lives as long as its connection. */
function isOver(attributes: ReadonlyMap<string, string>): boolean {
  const maxAge = attributes.get("max-age");
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  const expires = attributes.get("expires");
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
