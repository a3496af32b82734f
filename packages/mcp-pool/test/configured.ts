import { FakeClock, ScriptedConnector } from "@mcp-pool/core/testing";
import { onTestFinished } from "vitest";
import {
  type CreateMcpPoolOptions,
  createMcpPool,
  type McpPoolConfig,
  type McpPoolManager,
  type ResolvedServerConfig,
} from "../src/index.ts";

/** A manager, and what its servers were made of. */
export interface Configured {
  readonly manager: McpPoolManager;
  readonly connector: ScriptedConnector;
  readonly made: readonly { readonly name: string; readonly config: ResolvedServerConfig }[];
}

/** Makes a manager whose servers all lead to one scripted connector, which notes what it was made for. */
export async function configured(config: McpPoolConfig, options: CreateMcpPoolOptions = {}): Promise<Configured> {
  const connector = new ScriptedConnector({ clock: new FakeClock() });
  const made: { name: string; config: ResolvedServerConfig }[] = [];
  const manager = await createMcpPool(config, {
    connector: (name, own) => {
      made.push({ name, config: own });
      return connector;
    },
    ...options,
  });
  onTestFinished(() => manager.close());
  return { manager, connector, made };
}
