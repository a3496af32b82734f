import { expect, it } from "vitest";
import { claimProcessManagers, McpConnectionManager, processManagers } from "../src/index.ts";

it("the manager of the process is held by whoever claims that first, also for another copy of the package", async () => {
  expect(processManagers()).toBeUndefined();
  const manager = new McpConnectionManager({ servers: {} });
  const first = { get: async () => manager };
  expect(claimProcessManagers(first)).toBe(first);
  expect(claimProcessManagers({ get: async () => new McpConnectionManager({ servers: {} }) })).toBe(first);
  expect(await processManagers()?.get()).toBe(manager);
  const ofAnotherCopy = (globalThis as Record<symbol, unknown>)[Symbol.for("mcp-pool.process-managers")];
  expect(ofAnotherCopy).toBe(first);
});
