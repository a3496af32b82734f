import type { McpSettings } from "./mcp-settings.ts";
import type { PoolConfig } from "./pool-config.ts";
import type { ResolvedServerConfig } from "./server-config.ts";
import type { ServerSpecificConfig } from "./server-specific-config.ts";

/** One server, ready for use. */
export interface ResolvedServer {
  readonly name: string;
  /** How to reach it; `undefined` when mocks stand in for the servers. Holds secrets. */
  readonly connection: ResolvedServerConfig | undefined;
  readonly specific: Omit<ServerSpecificConfig, "pool">;
  /** Everything that is set for its pool, from all sources; the switches are applied, defaults are not filled in. */
  readonly pool: PoolConfig;
}

/** A configuration, ready for use. */
export interface ResolvedMcpConfig {
  /** Everything that is set; defaults are not filled in. */
  readonly settings: McpSettings;
  readonly servers: ReadonlyMap<string, ResolvedServer>;
}
