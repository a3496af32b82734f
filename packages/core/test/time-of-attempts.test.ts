import { describe, expect, it } from "vitest";
import type { PoolPlugin } from "../src/index.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

/** A plugin that keeps requests until the test sends them on. */
function holding() {
  const sendOn: (() => void)[] = [];
  const plugin: PoolPlugin = {
    name: "holding",
    install: () => ({
      request: (next) => (request) =>
        new Promise((resolve, reject) => {
          sendOn.push(() => next(request).then(resolve, reject));
        }),
    }),
  };
  return { plugin, sendOn };
}

const NOT_SENT = { code: "TIMEOUT", outcome: "not-sent" };

describe("an attempt that begins after its request has set out", () => {
  it("goes by the time at which it begins", async () => {
    const { plugin, sendOn } = holding();
    const { pool, clock, connector } = scriptedPool({ plugins: [plugin], requestTimeoutMs: 1_000 });
    const outcome = outcomeOf(pool.request("ping"));
    await clock.advance(2_000);
    sendOn.pop()?.();
    await clock.settle();
    expect(outcome.error).toMatchObject(NOT_SENT);
    expect(connector.connects).toHaveLength(0);
  });

  it("goes by its own clock, though a request of another pool sets out just then", async () => {
    const { plugin, sendOn } = holding();
    const { pool, clock, connector } = scriptedPool({ plugins: [plugin], requestTimeoutMs: 1_000 });
    const meanwhile: PoolPlugin = {
      name: "meanwhile",
      install: () => ({
        request: (next) => (request) => {
          sendOn.pop()?.();
          return next(request);
        },
      }),
    };
    const other = scriptedPool({ plugins: [meanwhile] });
    const outcome = outcomeOf(pool.request("ping"));
    await clock.advance(2_000);
    await other.clock.advance(1);
    const unharmed = outcomeOf(other.pool.request("ping"));
    await clock.settle();
    await other.clock.settle();
    expect(outcome.error).toMatchObject(NOT_SENT);
    expect(connector.connects).toHaveLength(0);
    expect(unharmed.state).toBe("resolved");
  });
});
