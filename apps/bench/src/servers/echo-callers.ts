import { stdioConnector } from "@mcp-pool/connector/stdio";
import { McpConnectionPool } from "@mcp-pool/core";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { createMcpPool } from "mcp-pool";
import { everythingProgram } from "./everything-program.ts";

/** Calls the tool `echo` of a server-everything on stdio. */
export interface EchoCaller {
  /** Rejects when the answer is not the right one. */
  call(): Promise<void>;
  close(): Promise<void>;
}

const CALL = { name: "echo", arguments: { message: "the same for all" } };
const ANSWER = "Echo: the same for all";

/** The SDK's own client on one warm connection. */
export async function sdkClient(): Promise<EchoCaller> {
  const client = new Client({ name: "bench", version: "1.0.0" });
  await client.connect(new StdioClientTransport({ ...everythingProgram, stderr: "ignore" }));
  return { call: async () => check(await client.callTool(CALL)), close: () => client.close() };
}

/** A pool of one warm connection, made of core and connector alone. */
export async function corePool(): Promise<EchoCaller> {
  const pool = new McpConnectionPool(stdioConnector(everythingProgram), { minConnections: 1, maxConnections: 1 });
  await pool.warmUp();
  return { call: async () => check(await pool.client.callTool(CALL)), close: () => pool.close() };
}

/** A pool of one warm connection, as the facade makes it. */
export async function facadePool(): Promise<EchoCaller> {
  const pool = { minConnections: 1, maxConnections: 1 };
  const manager = await createMcpPool({ mcpServers: { everything: everythingProgram }, pool });
  await manager.warmUp();
  return { call: async () => check(await manager.callTool("everything", CALL)), close: () => manager.close() };
}

/** No connection is kept: each call starts a process and ends it. */
export async function connectPerCall(): Promise<EchoCaller> {
  async function call(): Promise<void> {
    const caller = await sdkClient();
    await caller.call();
    await caller.close();
  }
  return { call, close: async () => {} };
}

function check({ content }: { readonly [key: string]: unknown }): void {
  const [first] = content as readonly { readonly text?: unknown }[];
  if (first?.text !== ANSWER) throw new Error(`the server answered ${JSON.stringify(content)}`);
}
