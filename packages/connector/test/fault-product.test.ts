import { getEventListeners } from "node:events";
import { McpConnectionPool, McpPoolError } from "@mcp-pool/core";
import { describe, expect, test } from "vitest";
import { inMemoryConnector } from "../src/index.ts";
import { SLOW } from "./connecting.ts";
import { OUTCOMES, type PeerScript, ScriptedPeers } from "./scripted-peer.ts";

/** When the caller gives up, in milliseconds after it came; slow steps take 15. */
const ABORT_POINTS = {
  "never aborts": undefined,
  "aborts in the same tick": 0,
  "aborts while a slow step runs": 8,
  "aborts when a slow step ends": 15,
} as const;
const MAX = 2;

interface FaultCase extends PeerScript {
  readonly sharing: "shared" | "exclusive";
  readonly abortAfterMs: number | undefined;
}

/** Core's own fault-product.test.ts has probes and closes, on a fake clock; here is what a real handshake adds. */
describe.each(["shared", "exclusive"] as const)(
  "every combination of faults on real %s connections",
  SLOW,
  (sharing) => {
    test.each(Object.entries(ABORT_POINTS))(
      "answers everybody and keeps nothing, when a caller %s",
      async (_when, abortAfterMs) => {
        const cases: FaultCase[] = OUTCOMES.flatMap((make) =>
          OUTCOMES.flatMap((initialise) =>
            OUTCOMES.map((request) => ({ make, initialise, request, sharing, abortAfterMs })),
          ),
        );
        expect(cases).toHaveLength(125);
        await Promise.all(
          cases.map((each) =>
            runFaultCase(each).catch((cause: unknown) => {
              throw new Error(`${JSON.stringify(each)}: ${String(cause)}`, { cause });
            }),
          ),
        );
      },
    );
  },
);

async function runFaultCase({ sharing, abortAfterMs, ...script }: FaultCase): Promise<void> {
  const peers = new ScriptedPeers(script);
  const connector = inMemoryConnector({ server: () => peers.make(), suggestedConcurrency: 2 });
  const pool = new McpConnectionPool(connector, {
    sharing,
    minConnections: 0,
    maxConnections: MAX,
    connectionTimeoutMs: 100,
    acquireTimeoutMs: 2_000,
    requestTimeoutMs: 300,
  });
  let peak = 0;
  const call = (signal?: AbortSignal) => {
    const result =
      sharing === "shared"
        ? pool.request("tools/call", { name: "x" }, { signal })
        : pool.use((client) => client.callTool({ name: "x" }, { signal }), { signal });
    peak = Math.max(peak, pool.stats().connections.total);
    return result.then(
      () => "ok",
      (error: unknown) => {
        const isExpected = McpPoolError.isInstance(error) || error === reason || isAnswer(error);
        return isExpected ? "failed" : Promise.reject(error);
      },
    );
  };
  const reason = new Error("the caller gave up");
  const controller = new AbortController();
  const first = [call(controller.signal), call()];
  if (abortAfterMs === 0) controller.abort(reason);
  else if (abortAfterMs !== undefined) setTimeout(() => controller.abort(reason), abortAfterMs);
  await Promise.all(first);
  // Each step fails once at the most, so one of the next callers succeeds.
  const later: string[] = [];
  while (later.length < 20 && !later.includes("ok")) later.push(await call());
  expect(later.at(-1), "the pool serves again when the faults are over").toBe("ok");
  await pool.close({ drainTimeoutMs: 0 });
  const { leases, waiting, inFlight, connections, counters } = pool.stats();
  expect({ leases, waiting, inFlight, total: connections.total }).toEqual({
    leases: 0,
    waiting: 0,
    inFlight: 0,
    total: 0,
  });
  expect(counters.created, "every connection was closed").toBe(counters.destroyed);
  expect(counters.queued).toBe(counters.granted + counters.timedOut + counters.aborted + counters.rejected);
  expect(peak, "the maximum was kept").toBeLessThanOrEqual(MAX);
  expect(peers.closed, "no server is left connected").toBe(peers.connected);
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
}

/** The peer's own error passes through the pool. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === -32_000;
}
