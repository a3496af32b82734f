import type { Connector } from "@mcp-pool/core";
import { loadedOnce } from "../sdk-binding.ts";
import { type ClientOptions, clientSettings } from "../v1/client-options.ts";
import { InMemoryLink } from "./in-memory-link.ts";
import type { ServerFactory } from "./served-transport.ts";

/** Options of {@link inMemoryConnector}. */
export interface InMemoryConnectorOptions extends ClientOptions {
  /** Makes the server of one connection; a server object of the SDK serves one connection only. */
  readonly server: ServerFactory;
}

const DEFAULT_CONCURRENCY = 1_024;

/** Connects to servers that live in this process. */
export function inMemoryConnector(options: InMemoryConnectorOptions): Connector {
  const settings = clientSettings(options, DEFAULT_CONCURRENCY);
  const sdk = loadedOnce(options.sdk, settings);
  return {
    suggestedConcurrency: settings.suggestedConcurrency,
    async connect(request) {
      return (await sdk()).open((parts) => new InMemoryLink(parts, request, options.server), request);
    },
  };
}
