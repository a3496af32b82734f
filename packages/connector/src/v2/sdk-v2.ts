import { type Issue, McpConfigurationError } from "@mcp-pool/core";
import type { VersionNegotiationMode } from "@modelcontextprotocol/client";
import type { SdkBinding } from "../sdk-binding.ts";
import { ServerSdkV2 } from "./server-sdk-v2.ts";
import type { ListenBackoff } from "./subscription-hub.ts";

/** Options of {@link sdkV2}. */
export interface SdkV2Options {
  /**
   * Which protocol servers are spoken to in. `auto`: the first connect finds out; `legacy`: revisions up to 2025-11-25;
   * `pin`: this revision, from 2026-07-28 on, or none. @default "auto"
   */
  readonly era?: "auto" | "legacy" | { readonly pin: string } | undefined;
  /** How long what was found out is remembered, in milliseconds. @default 600_000 */
  readonly eraTtlMs?: number | undefined;
  /**
   * How long a server process may be silent when asked, until it is taken for one of the legacy era, in milliseconds.
   * @default half of the time for the connect
   */
  readonly probeTimeoutMs?: number | undefined;
  /** Whether a stream is held, in the modern era, on which the server announces changes; `false` leaves those of subscribed resources. @default true */
  readonly listen?: boolean | undefined;
  /** Bounds of the pause before that stream is opened again when it broke, in milliseconds. @default 1_000 to 30_000 */
  readonly listenBackoff?: Partial<ListenBackoff> | undefined;
}

/** {@link SdkV2Options} with every default filled in, but for what depends on the connect. */
export interface SdkV2Settings {
  readonly mode: VersionNegotiationMode;
  readonly eraTtlMs: number;
  readonly probeTimeoutMs: number | undefined;
  readonly listen: boolean;
  readonly listenBackoff: ListenBackoff;
}

/**
 * Has a connector use the 2.x SDK, which speaks all protocol revisions.
 * @throws {McpConfigurationError} when an option makes no sense
 */
export function sdkV2(options: SdkV2Options = {}): SdkBinding {
  const { era = "auto", eraTtlMs = 600_000, probeTimeoutMs, listen = true } = options;
  const { initialDelayMs = 1_000, maxDelayMs = 30_000 } = options.listenBackoff ?? {};
  check(era, { eraTtlMs, probeTimeoutMs, initialDelayMs, maxDelayMs });
  const listenBackoff = { initialDelayMs, maxDelayMs };
  const mode = typeof era === "string" ? era : { pin: era.pin };
  const settings: SdkV2Settings = { mode, eraTtlMs, probeTimeoutMs, listen, listenBackoff };
  return {
    version: "v2",
    forServer: async (clientSettings) => new ServerSdkV2(clientSettings, settings),
  };
}

const FIRST_MODERN_REVISION = "2026-07-28";

function check(era: SdkV2Options["era"], numbers: Readonly<Record<string, number | undefined>>): void {
  const issues: Issue[] = [];
  const isModern = (pin: unknown): boolean =>
    typeof pin === "string" && /^\d{4}-\d\d-\d\d$/.test(pin) && pin >= FIRST_MODERN_REVISION;
  if (typeof era === "object" ? !isModern(era.pin) : era !== "auto" && era !== "legacy") {
    const message = `must be "auto", "legacy" or { pin: a revision from "${FIRST_MODERN_REVISION}" on }`;
    issues.push({ path: "era", message });
  }
  for (const [path, value] of Object.entries(numbers)) {
    if (value !== undefined && !(value >= 0)) {
      issues.push({ path, message: `must be a number that is not negative, got ${value}` });
    }
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);
}
