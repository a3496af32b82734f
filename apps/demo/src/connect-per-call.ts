import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { CallToolResult } from "mcp-pool";
import type { ServerProgram } from "./server-program.ts";

/** A tool call, as the SDK's client takes it. */
export interface ToolCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

/** Starts a process, shakes hands, calls, and ends the process: what a program without a pool does for each call. */
export async function callInNewProcess(
  { command, args }: ServerProgram,
  env: Readonly<Record<string, string>>,
  call: ToolCall,
): Promise<CallToolResult> {
  const client = newClient();
  await client.connect(new StdioClientTransport({ command, args: [...args], env, stderr: "ignore" }));
  try {
    return (await client.callTool(call)) as CallToolResult;
  } finally {
    await client.close();
  }
}

/** Opens a session, calls, and ends the session. */
export async function callInNewSession(url: string, call: ToolCall): Promise<CallToolResult> {
  const client = newClient();
  const transport = new StreamableHTTPClientTransport(new URL(url));
  // The types of the SDK are not written for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  try {
    return (await client.callTool(call)) as CallToolResult;
  } finally {
    await transport.terminateSession();
    await client.close();
  }
}

function newClient(): Client {
  return new Client({ name: "connect-per-call", version: "1.0.0" });
}
