import { afterEach, expect } from "vitest";
import {
  type Lease,
  McpConnectionManager,
  type McpConnectionManagerOptions,
  type McpServerDefinition,
  type PoolOptions,
} from "../src/index.ts";
import {
  EventRecorder,
  FakeClock,
  ok,
  ScriptedConnector,
  type ScriptedConnectorOptions,
} from "../src/testing/index.ts";
import { expectBalance, outcomeOf } from "./scripted-pool.ts";

/** A manager on a fake clock, all of whose servers share one scripted connector. */
export interface ScriptedManager {
  readonly manager: McpConnectionManager;
  readonly connector: ScriptedConnector;
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
  /** Makes the options of a reload: servers by name, on the shared connector unless they bring their own. */
  options(setup: ManagerSetup): McpConnectionManagerOptions;
}

/** What a scripted manager is made of; a server is given by what differs from the shared connector and no minimum. */
export interface ManagerSetup extends Omit<McpConnectionManagerOptions, "servers" | "clock"> {
  readonly servers: Readonly<Record<string, Partial<McpServerDefinition>>>;
  readonly max?: number | undefined;
}

const made: ScriptedManager[] = [];

/** Makes a manager; whatever a test does with it, it is checked and closed afterwards. */
export function scriptedManager(setup: ManagerSetup, own: ScriptedConnectorOptions = {}): ScriptedManager {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock, ...own });
  const options = ({ servers, pool, settings, max, ...rest }: ManagerSetup): McpConnectionManagerOptions => ({
    clock,
    pool: { minConnections: 0, ...pool },
    settings: { ...(max === undefined ? {} : { maxTotalConnections: max }), ...settings },
    servers: Object.fromEntries(Object.entries(servers).map(([name, each]) => [name, { connector, ...each }])),
    ...rest,
  });
  const manager = new McpConnectionManager(options(setup));
  const recorder = new EventRecorder(manager);
  const scripted = { manager, connector, clock, recorder, options };
  made.push(scripted);
  return scripted;
}

/** Pool options of connections that are lent to one at a time. */
export function exclusive(options: PoolOptions = {}): { pool: PoolOptions } {
  return { pool: { sharing: "exclusive", minConnections: 0, ...options } };
}

/** Acquires leases of one server, one after the other. */
export async function acquireMany(manager: McpConnectionManager, server: string, count: number): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (let index = 0; index < count; index++) leases.push(await manager.acquire(server));
  return leases;
}

/** Names of the servers whose connections are open, each as often as it has one. */
export function openServers({ connector }: ScriptedManager): string[] {
  return connector.live.map(({ id }) => connector.connects[id - 1]?.serverName ?? "?").sort();
}

afterEach(async () => {
  for (const { manager, connector, clock } of made.splice(0)) {
    for (const { pools } of Object.values(manager.stats().servers)) {
      for (const { connections } of pools) expect(connections.total).toBeLessThanOrEqual(connections.max);
    }
    connector.onClose.always(ok());
    const closing = outcomeOf(manager.close({ drainTimeoutMs: 0 }));
    await clock.advance(0);
    for (const call of connector.pending) call.resolve();
    await clock.advance(40_000);
    expect(closing, "close() resolves").toEqual({ state: "resolved", value: undefined });
    expect(manager.stats().totalConnections, "no unit of the global cap is lost").toBe(0);
    for (const name of manager.servers()) {
      for (const pool of manager.poolsOf(name)) expectBalance({ pool, connector });
    }
    expect(clock.pending, "no timer is left").toEqual([]);
    expect(connector.occupied, "no connection is left").toBe(0);
    expect(connector.listenerCount, "no listener is left").toBe(0);
  }
});
