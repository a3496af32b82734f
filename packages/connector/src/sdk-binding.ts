import type { ConnectRequest, McpConnection } from "@mcp-pool/core";
import type { StreamableHTTPReconnectionOptions } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { FetchLike, Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ConnectFailure } from "./connect-failure.ts";
import type { OAuthFlow } from "./http/oauth-authoriser.ts";
import type { ClientSettings } from "./v1/client-options.ts";
import type { Link } from "./v1/link.ts";

/** One major version of the MCP SDK, as every connector takes it; `sdkV2()` of the subpath `/v2` makes one. */
export interface SdkBinding {
  readonly version: "v1" | "v2";
  /** Loads the SDK for the connections to one server. */
  forServer(settings: ClientSettings): Promise<ServerSdk>;
}

/** The SDK for the connections to one server, with whatever they share. */
export interface ServerSdk {
  /**
   * Opens a connection, within the request's time and signal. When that fails, nothing of it is left.
   * @param makeLink may be called again, when the first link was spent on finding out which protocol the server speaks
   * @throws {ConnectFailure} or the signal's reason
   */
  open(makeLink: (sdk: SdkParts) => Link, request: ConnectRequest): Promise<McpConnection>;
}

/** A transport over Streamable HTTP, and what its end takes. */
export interface StreamableHttpParts {
  readonly transport: Transport;
  endSession(): Promise<void>;
  clearReconnectionTimers(): void;
}

/** The parts of an SDK that links are built from. */
export interface SdkParts {
  streamableHttp(url: URL, fetch: FetchLike, reconnection: StreamableHTTPReconnectionOptions): StreamableHttpParts;
  sse(url: URL, fetch: FetchLike): Transport;
  /** Makes the SDK's error for a JSON-RPC error. */
  rpcError(code: number, message: string, data: unknown): Error;
  readonly oauth: OAuthFlow;
}

/** The 1.x SDK, which nothing imports statically, so that who uses another one need not have it. */
const SDK_V1: SdkBinding = {
  version: "v1",
  async forServer(settings) {
    const { serverSdk } = await import("./v1/server-sdk.ts");
    return serverSdk(settings);
  },
};

/** Returns what opens connections to one server, loaded as {@link loadedAtOnce} does it. */
export function loadedOnce(binding: SdkBinding = SDK_V1, settings: ClientSettings): () => Promise<ServerSdk> {
  return loadedAtOnce(
    () => binding.forServer(settings),
    (cause) => reasonOf(binding, cause),
  );
}

/**
 * Loads modules once, and at once, while nothing is in the way. What that fails with, the connects will say, and each of
 * them tries again.
 */
export function loadedAtOnce<T>(load: () => Promise<T>, reasonOf: (cause: unknown) => string): () => Promise<T> {
  let loading: Promise<T> | undefined;
  const once = (): Promise<T> => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined;
      throw new ConnectFailure(reasonOf(cause), { cause });
    });
    return loading;
  };
  once().catch(() => {});
  return once;
}

function reasonOf({ version }: SdkBinding, cause: unknown): string {
  if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")) {
    return couldNotLoad("the MCP SDK", cause);
  }
  return version === "v1"
    ? "@modelcontextprotocol/sdk is not installed: install it, or pass the 2.x SDK with sdk: sdkV2()"
    : "@modelcontextprotocol/client is not installed: install it, or use the 1.x SDK";
}

/** Says that something which is installed could not be loaded, and why. */
export function couldNotLoad(what: string, cause: unknown): string {
  return `${what} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`;
}
