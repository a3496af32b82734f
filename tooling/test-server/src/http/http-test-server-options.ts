import type { TestServerOptions } from "../test-server-options.ts";

/** What a test server over HTTP takes. */
export interface HttpTestServerOptions extends TestServerOptions {
  /** Listens on this port of 127.0.0.1. @default a free one */
  readonly port?: number;
  /** Serves every POST with a server of its own and knows no sessions. @default false */
  readonly stateless?: boolean;
  /** Answers requests with one JSON document instead of a stream. @default false */
  readonly jsonResponse?: boolean;
  /** Gives events ids, so that a client can resume a broken stream with `Last-Event-ID`. @default false */
  readonly resumable?: boolean;
  /** Answers a request of an unknown session with this status; servers in the field differ. @default 404 */
  readonly unknownSessionStatus?: 400 | 401 | 404;
  /** Answers 401 to every MCP request without this bearer token. @default no token */
  readonly bearerToken?: string;
}
