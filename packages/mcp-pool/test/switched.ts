import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FakeClock, ScriptedConnector } from "@mcp-pool/core/testing";
import { onTestFinished } from "vitest";
import { type CreateMcpPoolOptions, createMcpPool, type McpPoolConfig, type McpPoolManager } from "../src/index.ts";
import { temporaryFolder } from "./real-servers.ts";

export const SERVERS = { a: { command: "mcp-pool-no-such-command" } };

/** One switch in its three forms. */
export interface Switch {
  readonly env: Readonly<Record<string, string>>;
  readonly yaml: string;
  readonly code: McpPoolConfig;
}

export type Way = "variable" | "file" | "code";
export const WAYS: readonly Way[] = ["variable", "file", "code"];

/** Makes a manager with a switch thrown in one way, or not at all. */
export async function managerBy(
  way: Way | "not at all",
  { env, yaml, code }: Switch,
  options: CreateMcpPoolOptions = {},
): Promise<McpPoolManager> {
  let manager: McpPoolManager;
  if (way === "file") {
    const path = join(temporaryFolder(), "mcp-pool.yaml");
    writeFileSync(path, `mcpServers: ${JSON.stringify(SERVERS)}\n${yaml}\n`);
    manager = await createMcpPool(path, { env: {}, ...options });
  } else {
    const config = { mcpServers: SERVERS, ...(way === "code" ? code : {}) };
    manager = await createMcpPool(config, { env: way === "variable" ? env : {}, ...options });
  }
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

/** A connector that does as it is told, and the options that give it to every server. */
export function scripted(): { connector: ScriptedConnector; options: CreateMcpPoolOptions } {
  const connector = new ScriptedConnector({ clock: new FakeClock() });
  return { connector, options: { connector: () => connector } };
}
