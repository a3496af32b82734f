import { expect, expectTypeOf, it } from "vitest";
import { type SnakeCase, snakeCase } from "./snake-case.ts";

it("spells keys in snake_case, but leaves names as they are", () => {
  const metrics = {
    global: { maxTotalConnections: 5 },
    servers: { zenServer: { timing: { p95Ms: 1 }, tools: { readFile: { toolErrors: 2 }, tools: { requests: 1 } } } },
    connectionDetails: [{ inFlight: 1, processId: undefined }],
  };
  expect(snakeCase(metrics)).toEqual({
    global: { max_total_connections: 5 },
    servers: {
      zenServer: { timing: { p95_ms: 1 }, tools: { readFile: { tool_errors: 2 }, tools: { requests: 1 } } },
    },
    connection_details: [{ in_flight: 1, process_id: undefined }],
  });
});

it("types follow", () => {
  type Spelled = SnakeCase<{ poolPerformance: { p50Ms: number }; servers: Record<string, { isHit: boolean }> }>;
  expectTypeOf<Spelled["pool_performance"]["p50_ms"]>().toEqualTypeOf<number>();
  expectTypeOf<Spelled["servers"][string]["is_hit"]>().toEqualTypeOf<boolean>();
});
