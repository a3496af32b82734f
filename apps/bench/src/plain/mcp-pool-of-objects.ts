import {
  type Connector,
  type McpConnection,
  McpConnectionPool,
  type Sharing,
  type StartedRequest,
  type StartRequest,
  type Unsubscribe,
} from "@mcp-pool/core";
import { ACQUIRE_TIMEOUT_MS, type MakePlainPool } from "./plain-pool.ts";

/** Makes a warm pool whose connections are plain objects, to measure the pool alone. */
export async function mcpPoolOfObjects(size: number, sharing: Sharing): Promise<McpConnectionPool> {
  const pool = new McpConnectionPool(nothing, {
    sharing,
    minConnections: size,
    maxConnections: size,
    acquireTimeoutMs: ACQUIRE_TIMEOUT_MS,
    maxWaiting: 1_000_000,
    // Like the other pools here: there is nothing that a probe could find out about these objects.
    validateOnAcquire: false,
  });
  await pool.warmUp();
  return pool;
}

/** The same, as one contender among other pools. */
export function mcpPool(sharing: Sharing): MakePlainPool {
  return async (size) => {
    const pool = await mcpPoolOfObjects(size, sharing);
    return {
      acquire: () => pool.acquire(),
      release: (lease) => (lease as Awaited<ReturnType<typeof pool.acquire>>).release(),
      close: () => pool.close(),
    };
  };
}

/** Connects to nothing: whatever is asked of it is there at once. */
export const nothing: Connector = {
  suggestedConcurrency: 128,
  connect: async () => new ConnectionToNothing(),
};

/** A connection as those of real connectors are made: its functions belong to the class, and cost nothing for each. */
class ConnectionToNothing implements McpConnection {
  readonly raw = undefined;
  readonly era = "legacy";
  readonly suggestedConcurrency = 128;
  readonly server: McpConnection["server"] = SERVER;
  readonly endpoint: McpConnection["endpoint"] = ENDPOINT;

  async request(): Promise<unknown> {
    return { content: [] };
  }

  /** As the connections of real connectors do it. */
  startRequest(...[, , , end]: Parameters<StartRequest>): StartedRequest {
    queueMicrotask(() => end.onResult({ content: [] }));
    return GOES_ON;
  }

  async probe(): Promise<void> {}

  onNotification(): Unsubscribe {
    return ignore;
  }

  onClosed(): Unsubscribe {
    return ignore;
  }

  async close(): Promise<void> {}
}

const SERVER = { name: "object", version: "1", capabilities: {} };
const ENDPOINT = { transport: "in-memory" } as const;
const ignore = () => {};
const GOES_ON: StartedRequest = { abort: ignore };
