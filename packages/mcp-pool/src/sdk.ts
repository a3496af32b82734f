import type { SdkBinding } from "@mcp-pool/connector";

/** The 2.x SDK is a peer that not everybody installs, so it is loaded only where it is asked for. */
export const SDK_V2: SdkBinding = {
  version: "v2",
  async forServer(settings) {
    const { sdkV2 } = await import("@mcp-pool/connector/v2");
    return sdkV2().forServer(settings);
  },
};
