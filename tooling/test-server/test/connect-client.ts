import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { onTestFinished } from "vitest";
import {
  createTestServer,
  type HttpTestServer,
  type HttpTestServerOptions,
  startHttpTestServer,
  stdioTestServer,
  type TestServerOptions,
} from "../src/index.ts";

/** A client and the transport it uses; both end with the test. */
export interface Connected<Kind extends Transport> {
  readonly client: Client;
  readonly transport: Kind;
}

/** Connects to a server in the test's own process. */
export async function connectInMemory(options: TestServerOptions = {}): Promise<Connected<InMemoryTransport>> {
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  await createTestServer(options).connect(serverSide);
  return connect(clientSide);
}

/** Starts a process and connects to it. */
export function connectStdio(env: Record<string, string> = {}): Promise<Connected<StdioClientTransport>> {
  return connect(stdioTransport(env));
}

/** Prepares a process that starts when a client connects. */
export function stdioTransport(env: Record<string, string> = {}): StdioClientTransport {
  return new StdioClientTransport({ ...stdioTestServer(env), stderr: "ignore" });
}

/** Connects over Streamable HTTP. */
export function connectStreamable(server: HttpTestServer): Promise<Connected<StreamableHTTPClientTransport>> {
  return connect(new StreamableHTTPClientTransport(server.url));
}

/** Connects over the old HTTP+SSE. */
export function connectLegacy(server: HttpTestServer): Promise<Connected<SSEClientTransport>> {
  return connect(new SSEClientTransport(server.sseUrl));
}

/** Starts a server over HTTP, which ends with the test. */
export async function startServer(options: HttpTestServerOptions = {}): Promise<HttpTestServer> {
  const server = await startHttpTestServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** Connects a client by any transport. */
export async function connect<Kind extends Transport>(transport: Kind): Promise<Connected<Kind>> {
  const client = new Client({ name: "test", version: "1" }, { capabilities: {} });
  onTestFinished(() => client.close());
  await client.connect(transport);
  return { client, transport };
}

/** Calls a tool and gives the text of its answer. */
export async function callForText(client: Client, name: string, given: Record<string, unknown> = {}): Promise<string> {
  const { content } = (await client.callTool({ name, arguments: given })) as CallToolResult;
  return content.map((part) => (part.type === "text" ? part.text : part.type)).join();
}

/** Gives the path of a file that does not exist yet, in a directory that goes with the test. */
export function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), "test-server-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, "ledger");
}
