import {
  auth,
  extractWWWAuthenticateParams,
  InMemoryTransport,
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
  streamableHttp(url, { fetch, reconnection }) {
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
  sse: (url, { fetch }) => asLinkTransport(new SSEClientTransport(url, { fetch })),
  inMemoryPair() {
    const [near, far] = InMemoryTransport.createLinkedPair();
    return [asLinkTransport(near), asLinkTransport(far)];
  },
  rpcError: (code, message, data) => ProtocolError.fromError(code, message, data),
  oauth: {
    authorise: (provider, options) => auth(provider, options),
    challengeOf: (refusal) => extractWWWAuthenticateParams(refusal),
    unauthorizedError: () => new UnauthorizedError(),
  },
};

/** Both SDKs' transports carry the same messages in the same way; only the declared types of the messages differ. */
function asLinkTransport(transport: Transport): LinkTransport {
  return transport as LinkTransport;
}
