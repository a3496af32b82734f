import {
  auth,
  computeScopeUnion,
  extractWWWAuthenticateParams,
  isStrictScopeSuperset,
  type OAuthClientProvider,
  ProtocolError,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import type { Transport as LinkTransport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { SdkParts } from "../sdk-binding.ts";

/** The parts of the 2.x SDK that links are built from. */
export const SDK_PARTS: SdkParts = {
  streamableHttp(url, fetch, reconnection) {
    const timers = new Set<NodeJS.Timeout>();
    const transport = new StreamableHTTPClientTransport(url, {
      fetch,
      reconnectionOptions: reconnection,
      // The SDK keeps what cancels the last reconnection only, though several streams may break at a time.
      reconnectionScheduler(reconnect, delayMs) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          reconnect();
        }, delayMs);
        timers.add(timer);
        return () => clearTimeout(timer);
      },
    });
    return {
      transport: asLinkTransport(transport),
      endSession: () => transport.terminateSession(),
      clearReconnectionTimers() {
        for (const timer of timers) clearTimeout(timer);
        timers.clear();
      },
    };
  },
  sse: (url, fetch) => asLinkTransport(new SSEClientTransport(url, { fetch })),
  rpcError: (code, message, data) => ProtocolError.fromError(code, message, data),
  oauth: {
    challengeOf: extractWWWAuthenticateParams,
    async run(given, { serverUrl, resourceMetadataUrl, scope, isStepUp, fetch }) {
      const provider = given as OAuthClientProvider;
      const held = isStepUp ? (await provider.tokens())?.scope : undefined;
      const wanted = computeScopeUnion(held, scope);
      return auth(provider, {
        serverUrl,
        ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
        ...(wanted !== undefined && { scope: wanted }),
        // A refreshed token would have the scope of the one that was not enough.
        forceReauthorization: isStepUp && isStrictScopeSuperset(wanted, held),
        fetchFn: fetch,
      });
    },
    unauthorised: () => new UnauthorizedError(),
  },
};

/** Both SDKs' transports carry the same messages in the same way; only the declared types of the messages differ. */
function asLinkTransport(transport: Transport): LinkTransport {
  return transport as LinkTransport;
}
