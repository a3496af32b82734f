import { expect, test } from "vitest";
import { afterTurn, systemClock } from "./clock.ts";
import { FakeClock } from "./testing/index.ts";

test("a turn of the event loop is over when all that was ready has run, and no later than a timer", async () => {
  const order: string[] = [];
  const timer = new Promise<void>((resolve) => {
    setImmediate(() => setTimeout(() => resolve(void order.push("timer")), 0));
  });
  afterTurn(systemClock, () => order.push("turn"));
  for (let job = 0; job < 100; job++) await undefined;
  order.push("jobs");
  await timer;
  expect(order).toEqual(["jobs", "turn", "timer"]);
});

test("a clock that knows of no turns calls back when the job is over", async () => {
  const order: string[] = [];
  afterTurn(new FakeClock(), () => order.push("job"));
  order.push("rest of the job");
  await undefined;
  expect(order).toEqual(["rest of the job", "job"]);
});
