import type { McpValidationError } from "./errors.ts";
import type { PoolPlugin } from "./plugin.ts";
import { invalid } from "./request-options.ts";

/** Makes the error of a call without the identity that its server requires. */
export function identityMissing(serverName: string): McpValidationError {
  return invalid("identity", "is required by this server, and none was given", serverName);
}

/** Refuses whoever reaches a pool without an identity by another way than through its manager. */
export function identityRequired(serverName: string): PoolPlugin {
  const refusal = () => identityMissing(serverName);
  return {
    name: "identity-required",
    install: () => ({
      admit: refusal,
      connect: () => () => Promise.reject(refusal()),
      request: () => () => Promise.reject(refusal()),
    }),
  };
}
