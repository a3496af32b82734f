import { type Connector, type ConnectRequest, McpConfigurationError, type McpConnection } from "@mcp-pool/core";
import type { StreamableHTTPReconnectionOptions } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ConnectFailure } from "../connect-failure.ts";
import { checkOptionNames } from "../known-options.ts";
import { RenewingConnection } from "../renewal/renewing-connection.ts";
import { couldNotLoad, loadedAtOnce, loadedOnce, type SdkParts } from "../sdk-binding.ts";
import { type ClientOptions, clientSettings } from "../v1/client-options.ts";
import type { HttpLink, HttpLinkOptions } from "./http-link.ts";
import { HeadersByIdentity, type HeadersSource } from "./identity-headers.ts";
import { OAuthAuthoriser, type OAuthProvider } from "./oauth-authoriser.ts";
import { badHeaders } from "./request-headers.ts";

/** Options of {@link httpConnector}. */
export interface HttpConnectorOptions extends ClientOptions {
  readonly url: string | URL;
  /**
   * Sent with every request to the server's origin; names that belong to the protocol are ignored. A function supplies
   * them anew for each HTTP request, and others after a 401, with which the request is sent once more. @default {}
   */
  readonly headers?: HeadersSource | undefined;
  /** Replaces the built-in fetch; its sockets and time-outs are then its owner's. */
  readonly fetch?: FetchLike | undefined;
  /** `auto`: Streamable HTTP, or HTTP+SSE where the server refuses the former with 400, 404 or 405. @default "auto" */
  readonly transport?: "auto" | "streamable-http" | "sse" | undefined;
  /**
   * Supplies and refreshes OAuth tokens: the SDK's provider, or a function that names the one of an identity, and is
   * called for each connection. All connections with one provider share its flow.
   */
  readonly authProvider?: OAuthProvider | AuthProviderFactory | undefined;
  /** How broken event streams are resumed. @default 1000 to 30000 ms, growing by 1.5, 2 attempts */
  readonly reconnection?: Partial<StreamableHTTPReconnectionOptions> | undefined;
  /** Statuses with which the server says that it no longer knows the session; some say 400 or 401. @default [404] */
  readonly sessionLostStatuses?: readonly number[] | undefined;
  /**
   * Longest answer, unpacked, and longest event of a stream that a call's POST may bring; a longer one ends the call. Not
   * with a `fetch` of your own. @default 67108864 bytes
   */
  readonly maxMessageBytes?: number | undefined;
  /** Whether a lost session of a shared connection is renewed in place, and the refused request sent again. @default true */
  readonly renewSessions?: boolean | undefined;
}

/** Names the OAuth provider of an identity; it should return the same object each time. */
export type AuthProviderFactory = (
  request: Pick<ConnectRequest, "serverName" | "identity">,
) => OAuthProvider | undefined;

const OWN_OPTIONS = [
  "url",
  "headers",
  "fetch",
  "transport",
  "authProvider",
  "reconnection",
  "sessionLostStatuses",
  "maxMessageBytes",
  "renewSessions",
] as const;

const DEFAULT_CONCURRENCY = 64;
/** As with the lines of stdio. */
const DEFAULT_MAX_MESSAGE_BYTES = 67_108_864;

/** The SDK's own defaults, which it takes as a whole or not at all. */
const DEFAULT_RECONNECTION: StreamableHTTPReconnectionOptions = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 2,
};

/** Pauses between connects to a server that fails: a socket is cheaper than a process, for which core's own are meant. */
const CONNECT_BACKOFF = { initialDelayMs: 10, maxDelayMs: 5_000 };

/** Refusals of the first POST that speak of an older server (specification 2025-11-25, "Backwards Compatibility"). */
const FALLBACK_STATUSES: ReadonlySet<number> = new Set([400, 404, 405]);

/**
 * Connects to a server over Streamable HTTP or HTTP+SSE.
 * @throws {McpConfigurationError} when the URL is none, or not http(s), or an option is not known
 */
export function httpConnector(options: HttpConnectorOptions): Connector {
  checkOptionNames(options, OWN_OPTIONS);
  const { transport = "auto", renewSessions = true } = options;
  const settings = clientSettings(options, DEFAULT_CONCURRENCY);
  const sdk = loadedOnce(options.sdk, settings);
  // It brings undici, which takes longer to load than all of ours.
  const linkModule = loadedAtOnce(
    () => import("./http-link.ts"),
    (cause) => couldNotLoad("the HTTP client", cause),
  );
  const { url, headers } = addressOf(options);
  const base: Omit<HttpLinkOptions, "kind" | "headers" | "release" | "authoriser"> = {
    url,
    fetch: options.fetch,
    reconnection: { ...DEFAULT_RECONNECTION, ...options.reconnection },
    sessionLostStatuses: options.sessionLostStatuses ?? [404],
    maxMessageBytes: options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
  };
  /** Which transport the server spoke last; it need not be found out for each connection. */
  let known = transport === "auto" ? undefined : transport;

  function newLink(
    Link: typeof HttpLink,
    parts: SdkParts,
    kind: HttpLinkOptions["kind"],
    request: ConnectRequest,
  ): HttpLink {
    const { authProvider } = options;
    const provider = typeof authProvider === "function" ? authProvider(identityOf(request)) : authProvider;
    const authoriser = provider && ((own: FetchLike) => new OAuthAuthoriser(provider, url, own, parts.oauth));
    return new Link(parts, { ...base, ...headers.take(request), kind, authoriser });
  }

  async function open(
    kind: HttpLinkOptions["kind"],
    request: ConnectRequest,
    onLink?: (link: HttpLink) => void,
  ): Promise<McpConnection> {
    const server = await sdk();
    const { HttpLink } = await linkModule();
    const openLink = (next: ConnectRequest, tell?: (link: HttpLink) => void) =>
      server.open((parts) => {
        const link = newLink(HttpLink, parts, kind, next);
        tell?.(link);
        return link;
      }, next);
    const connection = await openLink(request, onLink);
    // The session of HTTP+SSE ends with its event stream, an exclusive one takes its holder's state along, and the modern
    // era has none.
    const mayBeRenewed = renewSessions && kind === "streamable-http" && request.sharing !== "exclusive";
    if (!mayBeRenewed || connection.era === "modern") return connection;
    return new RenewingConnection(connection, request, openLink);
  }

  async function openKnown(kind: HttpLinkOptions["kind"], request: ConnectRequest): Promise<McpConnection> {
    try {
      return await open(kind, request);
    } catch (error) {
      if (transport === "auto") known = undefined;
      throw error;
    }
  }

  async function openEither(request: ConnectRequest): Promise<McpConnection> {
    const startedAt = performance.now();
    let link: HttpLink | undefined;
    const noteLink = (made: HttpLink): void => {
      link = made;
    };
    try {
      const connection = await open("streamable-http", request, noteLink);
      known = "streamable-http";
      return connection;
    } catch (error) {
      if (!(error instanceof ConnectFailure) || !FALLBACK_STATUSES.has(link?.refusal ?? 0)) throw error;
      const timeoutMs = Math.max(1, request.timeoutMs - (performance.now() - startedAt));
      const connection = await open("sse", { ...request, timeoutMs }).catch((fallbackError: unknown) => {
        throw joinFailures(error, fallbackError);
      });
      known = "sse";
      return connection;
    }
  }

  return {
    suggestedConcurrency: settings.suggestedConcurrency,
    connectBackoff: CONNECT_BACKOFF,
    connect: (request) => (known === undefined ? openEither(request) : openKnown(known, request)),
  };
}

function identityOf({ serverName, identity }: ConnectRequest): Pick<ConnectRequest, "serverName" | "identity"> {
  return { serverName, identity };
}

/** Parses the URL. Credentials in it, which fetch refuses, become the header they stand for. */
function addressOf({ url: given, headers = {} }: HttpConnectorOptions): { url: URL; headers: HeadersByIdentity } {
  const url = URL.canParse(String(given)) ? new URL(given) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    // The value is not shown: it may hold credentials.
    throw new McpConfigurationError([{ path: "url", message: "must be an http or https URL" }]);
  }
  const bad = typeof headers === "function" ? [] : badHeaders(headers);
  if (bad.length > 0) {
    const message = "is no valid header; its value is not shown";
    throw new McpConfigurationError(bad.map((name) => ({ path: `headers.${name}`, message })));
  }
  if (url.username === "" && url.password === "") return { url, headers: new HeadersByIdentity(headers, {}) };
  const credentials = `${decode(url.username)}:${decode(url.password)}`;
  url.username = url.password = "";
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  return { url, headers: new HeadersByIdentity(headers, { authorization }) };
}

/** A user name or password with a bare percent sign stands for itself. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function joinFailures(error: ConnectFailure, fallbackError: unknown): unknown {
  if (!(fallbackError instanceof ConnectFailure)) return fallbackError;
  const { judgement, retryAfterMs, code } = fallbackError;
  const message = `${error.message}; and over HTTP+SSE: ${fallbackError.message}`;
  return new ConnectFailure(message, { judgement, retryAfterMs, code, cause: fallbackError });
}
