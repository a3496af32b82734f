import { expect, it } from "vitest";
import type { PoolEvent } from "../src/index.ts";
import { fail, manual } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

/** Events that are built only for those who want them: a listener for just one type gets it all the same. */
it.each([
  "acquire-queued",
  "acquire-failed",
  "lease-acquired",
  "lease-released",
  "lease-released-again",
  "request-finished",
  "request-settled",
  "notification-received",
  "connection-failed",
  "connection-opened",
  "connection-closed",
] as const)("a listener for %s alone hears of it", async (type) => {
  const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 1, maxWaiting: 1 });
  // It listens to everything.
  recorder.stop();
  const heard: PoolEvent[] = [];
  pool.subscribe((event) => heard.push(event), [type]);
  connector.onConnect.next(fail(new Error("refused")));
  const refused = outcomeOf(pool.acquire());
  await clock.settle();
  const lease = await pool.acquire();
  await lease.request("ping");
  connector.connection(2).notify({ method: "notifications/message" });
  const waiting = outcomeOf(pool.acquire());
  const crowded = outcomeOf(pool.acquire());
  connector.onRequest.next(manual());
  await clock.settle();
  lease.release();
  lease.release();
  await clock.settle();
  waiting.value?.discard();
  await clock.settle();
  expect([refused.state, waiting.state, crowded.state]).toEqual(["rejected", "resolved", "rejected"]);
  expect(heard.length).toBeGreaterThan(0);
  expect(new Set(heard.map((event) => event.type))).toEqual(new Set([type]));
});
