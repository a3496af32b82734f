import { z } from "zod";
import { type McpSettings, mcpSettingsSchema } from "./mcp-settings.ts";
import { type PoolConfig, poolConfigSchema } from "./pool-config.ts";
import { block, byName, type ConfigSchema, nonEmptyText } from "./schema-parts.ts";
import { type McpServerConfig, mcpServerConfigSchema } from "./server-config.ts";
import {
  type ServerSpecificConfig,
  serverSpecificConfigSchema,
  specificBlockSchema,
} from "./server-specific-config.ts";

/** The whole configuration. */
export interface McpPoolConfig {
  /** A catalog of servers to read besides, such as `.mcp.json`; relative to the file that names it. */
  readonly mcpConfigPath?: string | undefined;
  /** The servers by name. */
  readonly mcpServers?: Readonly<Record<string, McpServerConfig>> | undefined;
  readonly settings?: McpSettings | undefined;
  /** Pools of every server. */
  readonly pool?: PoolConfig | undefined;
  /** Single servers, by name. */
  readonly serverConfigs?: Readonly<Record<string, ServerSpecificConfig>> | undefined;
}

const NAMES = "an object with the names of servers as keys";

/** Everything but the servers themselves, which have rules of their own. */
export interface ConfigBlocks extends Omit<McpPoolConfig, "mcpServers"> {
  readonly mcpServers?: unknown;
}

export const configBlocksSchema: ConfigSchema<ConfigBlocks> = block({
  mcpConfigPath: nonEmptyText().optional(),
  mcpServers: z.unknown().optional(),
  settings: mcpSettingsSchema.optional(),
  pool: poolConfigSchema.optional(),
  serverConfigs: byName(specificBlockSchema, NAMES).optional(),
});

/** The whole configuration under its own names, from which the spellings of files are derived. */
export const wholeConfigSchema: ConfigSchema<McpPoolConfig> = whole(specificBlockSchema);

export const mcpPoolConfigSchema: ConfigSchema<McpPoolConfig> = whole(serverSpecificConfigSchema);

function whole(specific: ConfigSchema<ServerSpecificConfig>): ConfigSchema<McpPoolConfig> {
  return block({
    mcpConfigPath: nonEmptyText().optional(),
    mcpServers: byName(mcpServerConfigSchema, NAMES).optional(),
    settings: mcpSettingsSchema.optional(),
    pool: poolConfigSchema.optional(),
    serverConfigs: byName(specific, NAMES).optional(),
  });
}
