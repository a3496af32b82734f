import {
  McpConnectionManager,
  type McpConnectionManagerOptions,
  type McpServerDefinition,
  type PoolPlugin,
} from "@mcp-pool/core";
import {
  EventRecorder,
  FakeClock,
  type Settled as Outcome,
  outcomeOf,
  ScriptedConnector,
  type ScriptedConnectorOptions,
} from "@mcp-pool/core/testing";
import { expect, onTestFinished } from "vitest";
import { circuitBreaker, health, retry } from "../src/index.ts";

/** The plugins of a default install, with times that suit a test. */
export const PLUGINS: readonly PoolPlugin[] = [
  retry({ initialDelayMs: 10 }),
  circuitBreaker({ failureThreshold: 5, recoveryTimeoutMs: 10_000, successThreshold: 2 }),
  health({ intervalMs: 5_000, timeoutMs: 1_000 }),
];

/** A manager on a fake clock, with a scripted connector for each server. */
export interface FullStack {
  readonly manager: McpConnectionManager;
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
  connector(server: string): ScriptedConnector;
}

/** What a full stack is made of: the options of its manager, and what each of its servers is like. */
export interface FullStackOptions extends Omit<McpConnectionManagerOptions, "servers"> {
  readonly server?: Partial<McpServerDefinition>;
  readonly connector?: ScriptedConnectorOptions;
}

/** Makes a manager of scripted servers with the given plugins; it is closed after the test. */
export function fullStack(
  servers: readonly string[],
  { server, connector: own, ...options }: FullStackOptions = {},
): FullStack {
  const clock = new FakeClock();
  const connectors = new Map(servers.map((name) => [name, new ScriptedConnector({ clock, ...own })]));
  const manager = new McpConnectionManager({
    clock,
    plugins: PLUGINS,
    ...options,
    pool: { minConnections: 0, ...options.pool },
    servers: Object.fromEntries([...connectors].map(([name, connector]) => [name, { connector, ...server }])),
  });
  const recorder = new EventRecorder(manager);
  onTestFinished(async () => {
    const closing = settled(manager.close({ drainTimeoutMs: 0 }));
    await clock.advance(40_000);
    expect(closing.state, "close() resolves").toBe("resolved");
    expect(clock.pending, "no timer is left").toEqual([]);
  });
  return {
    manager,
    clock,
    recorder,
    connector: (server) => {
      const found = connectors.get(server);
      if (found === undefined) throw new Error(`no server ${server}`);
      return found;
    },
  };
}

/** How a promise ended, whatever it was of. */
export type Settled = Outcome<unknown>;

/** Keeps how a promise ends, as soon as it has. */
export const settled: (promise: Promise<unknown>) => Settled = outcomeOf;

/** The code of an error, if it is one of ours. */
export function codeOf({ error }: Settled): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}
