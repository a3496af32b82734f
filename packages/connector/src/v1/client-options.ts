import { McpConfigurationError } from "@mcp-pool/core";
import type { ClientCapabilities, Implementation } from "@modelcontextprotocol/sdk/types.js";
import type { SdkBinding } from "../sdk-binding.ts";

/** What every connector takes. */
export interface ClientOptions {
  /** Name and version the server is told. @default `{ name: "mcp-pool", version: "0" }` */
  readonly clientInfo?: Implementation | undefined;
  /** Capabilities the server is told, beside those that there are handlers for. @default none */
  readonly capabilities?: ClientCapabilities | undefined;
  /** The SDK that speaks the protocol: the 1.x one, or what `sdkV2()` of `@mcp-pool/connector/v2` returns. @default the 1.x SDK */
  readonly sdk?: SdkBinding | undefined;
  /** How many requests one connection carries well at one time. */
  readonly suggestedConcurrency?: number | undefined;
}

/** {@link ClientOptions} with every default filled in. */
export interface ClientSettings {
  readonly clientInfo: Implementation;
  readonly capabilities: ClientCapabilities;
  readonly suggestedConcurrency: number;
}

/** Fills in the defaults. */
export function clientSettings(options: ClientOptions, defaultConcurrency: number): ClientSettings {
  const { clientInfo = DEFAULT_CLIENT_INFO, capabilities = {}, suggestedConcurrency = defaultConcurrency } = options;
  if (!(suggestedConcurrency >= 1)) {
    throw new McpConfigurationError([{ path: "suggestedConcurrency", message: "must be at least 1" }]);
  }
  return { clientInfo, capabilities, suggestedConcurrency };
}

const DEFAULT_CLIENT_INFO: Implementation = { name: "mcp-pool", version: "0" };
