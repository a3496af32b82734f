import type { Contender, Scenario } from "../scenario.ts";
import {
  corePool,
  facadePool,
  facadePoolV2,
  facadePoolWithMetrics,
  type OpenCaller,
  sdkClient,
  sdkClientV2,
  type Transport,
} from "../servers/echo-callers.ts";
import { processorTimePerOperation, sideBySide, timePerOperation } from "../time-per-operation.ts";

const BARE = "bare SDK client";
const BARE_V2 = "bare SDK client 2.x";
const POOL_V2 = "mcp-pool on the 2.x SDK";
const TRANSPORTS: readonly Transport[] = ["stdio", "http", "in-memory"];
const CONCURRENCIES = [1, 16, 64];

/** What the pool adds to calls on one warm connection. */
export const scenarios: readonly Scenario[] = TRANSPORTS.flatMap((transport) =>
  CONCURRENCIES.map((concurrency) => scenarioOf(transport, concurrency)),
);

function scenarioOf(transport: Transport, concurrency: number): Scenario {
  const contender = (open: OpenCaller) => contenderOf(open, transport, concurrency);
  const isRemote = transport !== "in-memory";
  const least = concurrency === 64 ? 1 / 0.97 : 1.03;
  return {
    id: `B/${transport}/${concurrency}`,
    title: `tool call on one warm connection over ${transport}, ${concurrency} at a time`,
    unit: "ns",
    baseline: BARE,
    budgetMs: 2_000,
    contenders: {
      [BARE]: contender(sdkClient),
      ...(isRemote && { [BARE_V2]: contender(sdkClientV2) }),
      "core + connector": contender(corePool),
      "mcp-pool": contender(facadePool),
      "mcp-pool + metrics": contender(facadePoolWithMetrics),
      ...(isRemote && { [POOL_V2]: contender(facadePoolV2) }),
    },
    fullOnly: transport === "stdio" && concurrency !== 16 ? [BARE_V2, POOL_V2, "core + connector"] : "all",
    targets:
      concurrency === 16
        ? []
        : [
            { contender: "mcp-pool", against: [BARE], atMost: isRemote ? least : 1.1 },
            ...(isRemote
              ? [
                  { contender: "mcp-pool + metrics", against: [BARE], atMost: 1.05 },
                  { contender: POOL_V2, against: [BARE_V2], atMost: least },
                ]
              : []),
          ],
  };
}

function contenderOf(open: OpenCaller, transport: Transport, concurrency: number): Contender {
  return async (budgetMs) => {
    const caller = await open(transport);
    // In memory nothing is waited for.
    const measure = transport === "in-memory" ? processorTimePerOperation : timePerOperation;
    const time = await measure(budgetMs, Math.max(50, concurrency * 10), (operations) =>
      sideBySide(concurrency, operations, () => caller.call()),
    );
    await caller.close();
    return time;
  };
}
