import { type Connector, type McpConnection, McpConnectionPool } from "@mcp-pool/core";
import { createPool as createGenericPool } from "generic-pool";
import { createPool as createLightningPool } from "lightning-pool";
import { Pool as TarnPool } from "tarn";
import { type Grant, type MakePool, PATIENCE_MS, type Resource } from "./modelled-pool.ts";

/** The pools that run the programs, by name. */
export const MODELLED_POOLS: Readonly<Record<string, MakePool>> = {
  tarn: (hooks, max) => {
    const pool = new TarnPool<Resource>({
      create: () => hooks.create(),
      destroy: (resource) => hooks.destroy(resource),
      validate: ({ isBroken }) => !isBroken,
      min: 0,
      max,
      acquireTimeoutMillis: PATIENCE_MS,
      createTimeoutMillis: PATIENCE_MS,
      destroyTimeoutMillis: PATIENCE_MS,
      createRetryIntervalMillis: 1,
      propagateCreateError: true,
    });
    return {
      acquire: () => {
        const asking = pool.acquire();
        const release = (resource: Resource) => void pool.release(resource);
        return {
          granted: asking.promise.then((resource) =>
            grantOf(resource, release, () => {
              // Its way to give back something broken: the next validation destroys it.
              resource.isBroken = true;
              release(resource);
            }),
          ),
          abort: () => asking.abort(),
        };
      },
      close: () => pool.destroy(),
    };
  },

  "generic-pool": (hooks, max) => {
    const pool = createGenericPool<Resource>(hooks, { min: 0, max });
    return {
      acquire: () => ({
        granted: Promise.resolve(pool.acquire()).then((resource) =>
          grantOf(
            resource,
            () => void Promise.resolve(pool.release(resource)).catch(() => {}),
            () => void Promise.resolve(pool.destroy(resource)).catch(() => {}),
          ),
        ),
        abort: undefined,
      }),
      close: () => pool.drain().then(() => pool.clear()),
    };
  },

  "lightning-pool": (hooks, max) => {
    const pool = createLightningPool<Resource>(hooks, { min: 0, max, acquireRetryWait: 1, acquireMaxRetries: 0 });
    return {
      acquire: () => ({
        granted: pool.acquire().then((resource) =>
          grantOf(
            resource,
            () => pool.release(resource),
            () => void pool.destroyAsync(resource).catch(() => {}),
          ),
        ),
        abort: undefined,
      }),
      close: () => pool.closeAsync(true),
    };
  },

  "mcp-pool": (hooks, max) => {
    const options = {
      sharing: "exclusive",
      minConnections: 0,
      maxConnections: max,
      acquireTimeoutMs: PATIENCE_MS,
      connectionTimeoutMs: PATIENCE_MS,
      validateOnAcquire: false,
    } as const;
    const pool = new McpConnectionPool(connectorOf(hooks), options);
    return {
      acquire: () => {
        const controller = new AbortController();
        const granted = pool.acquire({ signal: controller.signal }).then((lease) =>
          grantOf(
            lease.raw as Resource,
            () => lease.release(),
            () => lease.discard(),
          ),
        );
        return { granted, abort: () => controller.abort(new Error("the caller gave up")) };
      },
      close: () => pool.close({ drainTimeoutMs: 0 }),
    };
  },
};

function grantOf(resource: Resource, release: (resource: Resource) => void, discard: () => void): Grant {
  return { resource, release: () => release(resource), discard };
}

/** Connections that are the resources, and can do nothing else. */
function connectorOf(hooks: Parameters<MakePool>[0]): Connector {
  return {
    suggestedConcurrency: 1,
    // The other pools try again at once, too.
    connectBackoff: { initialDelayMs: 0, maxDelayMs: 0 },
    connect: async (): Promise<McpConnection> => {
      const resource = await hooks.create();
      return {
        raw: resource,
        era: "legacy",
        suggestedConcurrency: 1,
        server: { name: "resource", version: "1", capabilities: {} },
        endpoint: { transport: "in-memory" },
        request: async () => ({}),
        probe: async () => {},
        onNotification: () => () => {},
        onClosed: () => () => {},
        close: () => hooks.destroy(resource),
      };
    },
  };
}
