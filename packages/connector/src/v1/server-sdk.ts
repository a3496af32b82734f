import {
  auth,
  extractWWWAuthenticateParams,
  type OAuthClientProvider,
  UnauthorizedError,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpError } from "@modelcontextprotocol/sdk/types.js";
import { collectReconnectionTimers } from "../http/reconnection-timers.ts";
import type { SdkParts, ServerSdk } from "../sdk-binding.ts";
import { announcedCapabilities } from "./announced-capabilities.ts";
import type { ClientSettings } from "./client-options.ts";
import { answerRequests } from "./client-requests.ts";
import { openConnection } from "./open-connection.ts";

/** Opens connections with the 1.x SDK. */
export function serverSdk(settings: ClientSettings): ServerSdk {
  return {
    open(makeLink, request) {
      const { handlers } = request;
      const capabilities = announcedCapabilities(handlers, settings.capabilities);
      const client = new Client(settings.clientInfo, { capabilities });
      if (handlers !== undefined) answerRequests(client, handlers, request);
      return openConnection(makeLink(PARTS), request, { client, raw: client, settings });
    },
  };
}

const PARTS: SdkParts = {
  streamableHttp(url, fetch, reconnection) {
    const transport = new StreamableHTTPClientTransport(url, { fetch, reconnectionOptions: reconnection });
    return {
      transport,
      endSession: () => transport.terminateSession(),
      clearReconnectionTimers: collectReconnectionTimers(transport),
    };
  },
  sse: (url, fetch) => new SSEClientTransport(url, { fetch }),
  rpcError: (code, message, data) => McpError.fromError(code, message, data),
  oauth: {
    challengeOf: extractWWWAuthenticateParams,
    async run(provider, { serverUrl, resourceMetadataUrl, scope, fetch }) {
      return auth(provider as OAuthClientProvider, {
        serverUrl,
        ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
        ...(scope !== undefined && { scope }),
        fetchFn: fetch,
      });
    },
    unauthorised: () => new UnauthorizedError(),
  },
};
