import type { SdkBinding } from "@mcp-pool/connector";
import { httpConnector } from "@mcp-pool/connector/http";
import { inMemoryConnector } from "@mcp-pool/connector/in-memory";
import { stdioConnector } from "@mcp-pool/connector/stdio";
import { type Connector, McpConnectionPool, type PoolPlugin } from "@mcp-pool/core";
import { createTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { createMcpPool } from "mcp-pool";
import { everythingProgram } from "./everything-program.ts";
import { startHttpServer } from "./http-server.ts";

/** Calls the tool `echo` of an MCP server. */
export interface EchoCaller {
  /** Rejects when the answer is not the right one. */
  call(): Promise<void>;
  close(): Promise<void>;
}

/** A way to a server: its program or its address, and what else ends with it. */
export type Transport = "in-memory" | "stdio" | "http";

/** Opens a caller over a transport. */
export type OpenCaller = (transport: Transport) => Promise<EchoCaller>;

const MESSAGE = "the same for all";
const CALL = { name: "echo", arguments: { message: MESSAGE } };
const INFO = { name: "bench", version: "1.0.0" };
/** One connection carries as many calls as the bare client is given. */
const POOL = { minConnections: 1, maxConnections: 1, maxRequestsPerConnection: 64 };

/** The 1.x SDK's own client on one warm connection. */
export const sdkClient: OpenCaller = async (transport) => {
  const client = new Client(INFO);
  let end = async () => {};
  if (transport === "stdio") await client.connect(new StdioClientTransport({ ...everythingProgram, stderr: "ignore" }));
  else if (transport === "http") {
    const server = await startHttpServer();
    end = server.close;
    await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
  } else {
    const [near, far] = InMemoryTransport.createLinkedPair();
    await createTestServer().connect(far);
    await client.connect(near);
  }
  return {
    call: async () => check(await client.callTool(CALL)),
    close: async () => {
      await client.close();
      await end();
    },
  };
};

/** The 2.x SDK's own client on one warm connection. */
export const sdkClientV2: OpenCaller = async (transport) => {
  const { Client: ClientV2, StreamableHTTPClientTransport: HttpTransport } = await import(
    "@modelcontextprotocol/client"
  );
  const client = new ClientV2(INFO);
  let end = async () => {};
  if (transport === "http") {
    const server = await startHttpServer();
    end = server.close;
    await client.connect(new HttpTransport(new URL(server.url)));
  } else {
    const { StdioClientTransport: StdioTransport } = await import("@modelcontextprotocol/client/stdio");
    await client.connect(new StdioTransport({ ...everythingProgram, stderr: "ignore" }));
  }
  return {
    call: async () => check(await client.callTool(CALL)),
    close: async () => {
      await client.close();
      await end();
    },
  };
};

/** A pool of one warm connection, made of core and connector alone. */
export const corePool: OpenCaller = async (transport) => {
  const { connector, end } = await connectorTo(transport);
  const pool = new McpConnectionPool(connector, POOL);
  await pool.warmUp();
  return {
    call: async () => check(await pool.client.callTool(CALL)),
    close: async () => {
      await pool.close();
      await end();
    },
  };
};

/** A pool of one warm connection, as the facade makes it. */
export const facadePool: OpenCaller = (transport) => openFacade(transport, []);

/** The same on the 2.x SDK. */
export const facadePoolV2: OpenCaller = async (transport) => {
  const { sdkV2 } = await import("@mcp-pool/connector/v2");
  return openFacade(transport, [], sdkV2());
};

/** A pool as the facade makes it, with OpenTelemetry metrics that a reader collects each second. */
export const facadePoolWithMetrics: OpenCaller = async (transport) => {
  const { otelMetrics } = await import("@mcp-pool/metrics-otel");
  const metrics = await import("@opentelemetry/sdk-metrics");
  const exporter = new metrics.InMemoryMetricExporter(metrics.AggregationTemporality.CUMULATIVE);
  const reader = new metrics.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000 });
  const meterProvider = new metrics.MeterProvider({ readers: [reader] });
  const caller = await openFacade(transport, [otelMetrics({ meterProvider })]);
  const close = async () => {
    await caller.close();
    await meterProvider.shutdown();
  };
  return { call: caller.call, close };
};

/** No connection is kept: each call makes one and ends it. */
export async function connectPerCall(transport: "stdio" | "http"): Promise<EchoCaller> {
  const server = transport === "http" ? await startHttpServer() : undefined;
  const call = async () => {
    const client = new Client(INFO);
    await client.connect(
      server === undefined
        ? new StdioClientTransport({ ...everythingProgram, stderr: "ignore" })
        : new StreamableHTTPClientTransport(new URL(server.url)),
    );
    check(await client.callTool(CALL));
    await client.close();
  };
  return { call, close: async () => server?.close() };
}

async function openFacade(transport: Transport, plugins: readonly PoolPlugin[], sdk?: SdkBinding): Promise<EchoCaller> {
  const { connector, end } = await connectorTo(transport, sdk);
  const servers = { echo: stdioTestServer() };
  const manager = await createMcpPool({ mcpServers: servers, pool: POOL }, { plugins, connector: () => connector });
  await manager.warmUp();
  return {
    call: async () => check(await manager.callTool("echo", CALL)),
    close: async () => {
      await manager.close();
      await end();
    },
  };
}

async function connectorTo(
  transport: Transport,
  sdk?: SdkBinding,
): Promise<{ connector: Connector; end: () => Promise<void> }> {
  const end = async () => {};
  if (transport === "stdio") return { connector: stdioConnector({ ...everythingProgram, sdk }), end };
  if (transport === "in-memory") return { connector: inMemoryConnector({ server: () => createTestServer() }), end };
  const server = await startHttpServer();
  return { connector: httpConnector({ url: server.url, sdk }), end: server.close };
}

function check({ content }: { readonly [key: string]: unknown }): void {
  const [first] = content as readonly { readonly text?: unknown }[];
  if (typeof first?.text !== "string" || !first.text.endsWith(MESSAGE)) {
    throw new Error(`the server answered ${JSON.stringify(content)}`);
  }
}
