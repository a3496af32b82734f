import { McpConfigurationError } from "@mcp-pool/core";
import type { ClientOptions } from "./v1/client-options.ts";

const COMMON: readonly (keyof ClientOptions)[] = ["clientInfo", "capabilities", "sdk", "suggestedConcurrency"];

/** What a resolved configuration of a server says besides, which may be handed over as it is. */
const OF_CONFIGURATIONS: ReadonlySet<string> = new Set(["type", "sseFallback"]);

/**
 * Refuses what a connector has no option for: a misspelt `headers` would send requests without credentials.
 * @throws {McpConfigurationError} which lists every problem
 */
export function checkOptionNames<Options extends ClientOptions>(
  options: Options,
  own: readonly Exclude<keyof Options, keyof ClientOptions>[],
): void {
  if (typeof options !== "object" || options === null) {
    throw new McpConfigurationError([{ path: "options", message: "must be an object" }]);
  }
  const known = new Set<string>([...own.map(String), ...COMMON]);
  const unknown = Object.keys(options).filter((name) => !known.has(name) && !OF_CONFIGURATIONS.has(name));
  if (unknown.length === 0) return;
  const message = `is not known; there are ${[...known].join(", ")}`;
  throw new McpConfigurationError(unknown.map((path) => ({ path, message })));
}
