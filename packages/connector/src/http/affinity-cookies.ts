import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { SendPost } from "./own-post.ts";

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
 * The cookies that a server sets, for one connection and the server's own origin. A load balancer in front of several
 * replicas tells by them which replica has the session; without them every other request would miss it.
 * Follows RFC 6265 as far as that takes: `Max-Age`, `Expires`, `Path` and `Secure`.
 */
export class CookieJar {
  readonly #server: URL;
  readonly #cookies = new Map<string, Cookie>();

  constructor(server: URL) {
    this.#server = server;
  }

  /** Whether cookies may go there, and come from there. */
  isFor(target: URL): boolean {
    return target === this.#server || target.origin === this.#server.origin;
  }

  /** Returns the value of the header, for a target that the jar is for. */
  headerFor(target: URL): string | undefined {
    if (this.#cookies.size === 0) return undefined;
    const cookies = [...this.#cookies].filter(([, { path }]) => isWithin(target.pathname, path));
    return cookies.length === 0 ? undefined : cookies.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }

  /** Notes what a target that the jar is for has set. */
  note(target: URL, lines: readonly string[]): void {
    for (const line of lines) this.#noteLine(target, line);
  }

  #noteLine(target: URL, line: string): void {
    const [pair = "", ...rest] = line.split(";");
    const end = pair.indexOf("=");
    const name = pair.slice(0, end).trim();
    if (end < 1 || name === "" || line.length > MAX_COOKIE_BYTES) return;
    const attributes = new Map(rest.map((each) => splitAttribute(each)));
    if (attributes.has("secure") && target.protocol !== "https:") return;
    if (isOver(attributes)) {
      this.#cookies.delete(name);
      return;
    }
    const path = attributes.get("path");
    this.#cookies.set(name, { value: pair.slice(end + 1).trim(), path: path?.startsWith("/") === true ? path : "/" });
    const [oldest] = this.#cookies.keys();
    if (oldest !== undefined && this.#cookies.size > MAX_COOKIES) this.#cookies.delete(oldest);
  }
}

/** Has a fetch keep cookies. Those that the caller sets rank above these. */
export function keepCookies(next: FetchLike, jar: CookieJar): FetchLike {
  return async (url, init) => {
    const target = new URL(url);
    if (!jar.isFor(target)) return next(url, init);
    const cookie = jar.headerFor(target);
    const response = await next(url, cookie === undefined ? init : withCookie(init, cookie));
    // Headers that another fetch brings may be of an older make.
    jar.note(target, response.headers.getSetCookie?.() ?? []);
    return response;
  };
}

/** Has what sends POSTs keep cookies, in the same way. */
export function keepPostCookies(next: SendPost, jar: CookieJar): SendPost {
  return (post, sink) => {
    if (!jar.isFor(post.url)) return next(post, sink);
    const cookie = jar.headerFor(post.url);
    const headers = cookie === undefined || "cookie" in post.headers ? post.headers : { ...post.headers, cookie };
    return next(
      { ...post, headers },
      {
        start: () => sink.start(),
        head(head) {
          const { "set-cookie": lines = [] } = head.headers;
          jar.note(post.url, typeof lines === "string" ? [lines] : lines);
          sink.head(head);
        },
        data: (chunk) => sink.data(chunk),
        end: () => sink.end(),
        fail: (error) => sink.fail(error),
      },
    );
  };
}

function withCookie(init: RequestInit | undefined, cookie: string): RequestInit {
  const headers = new Headers(init?.headers);
  if (!headers.has("cookie")) headers.set("cookie", cookie);
  return { ...init, headers };
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
