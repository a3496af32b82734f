import type { ClientFeatures, ClientHandlers } from "@mcp-pool/core";
import type { ClientCapabilities } from "@modelcontextprotocol/sdk/types.js";

/** Puts together what a client announces: what there are handlers for, and what its owner adds by hand. */
export function announcedCapabilities(
  handlers: ClientHandlers | undefined,
  own: ClientCapabilities,
): ClientCapabilities {
  if (handlers === undefined) return own;
  const { sampling = {}, elicitation = { form: {} }, roots = {} }: ClientFeatures = handlers.features ?? {};
  return {
    ...(handlers.sampling !== undefined && { sampling }),
    ...(handlers.elicitation !== undefined && { elicitation }),
    ...(handlers.roots !== undefined && { roots }),
    ...own,
  };
}
