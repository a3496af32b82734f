import { describe, expect, it } from "vitest";
import type { PoolPlugin } from "../src/index.ts";
import { manual } from "../src/testing/index.ts";
import { outcomeOf, type ScriptedPool, scriptedPool } from "./scripted-pool.ts";

/** Has the server report progress of the request under way. */
function report({ connector }: ScriptedPool, progress: number): void {
  connector.requests.at(-1)?.options.onProgress?.({ progress });
}

describe("progress", () => {
  it("gives a request its time anew where its caller asks for that, and reaches the caller", async () => {
    const scripted = scriptedPool();
    const { pool, connector, clock } = scripted;
    connector.onRequest.always(manual());
    const reports: number[] = [];
    const onProgress = ({ progress }: { progress: number }) => reports.push(progress);
    const plain = outcomeOf(pool.request("tools/call", { name: "a" }, { timeoutMs: 1_000, onProgress }));
    const options = { timeoutMs: 1_000, onProgress, resetTimeoutOnProgress: true };
    const patient = outcomeOf(pool.request("tools/call", { name: "a" }, options));
    await clock.advance(900);
    for (const { options: own } of connector.requests) own.onProgress?.({ progress: 1 });
    await clock.advance(100);
    expect([plain.error, patient.state]).toMatchObject([{ code: "TIMEOUT" }, "pending"]);
    await clock.advance(800);
    report(scripted, 2);
    await clock.advance(999);
    expect(patient.state).toBe("pending");
    await clock.advance(1);
    expect(patient.error).toMatchObject({ code: "TIMEOUT", phase: "request", outcome: "unknown" });
    expect(reports).toEqual([1, 1, 2]);
    report(scripted, 3);
    expect(reports, "after the deadline nobody is told").toHaveLength(3);
  });

  it("needs no listener of the caller's", async () => {
    const scripted = scriptedPool();
    scripted.connector.onRequest.always(manual());
    const call = outcomeOf(scripted.pool.request("ping", undefined, { timeoutMs: 100, resetTimeoutOnProgress: true }));
    await scripted.clock.advance(60);
    report(scripted, 1);
    await scripted.clock.advance(60);
    expect(call.state).toBe("pending");
  });

  it.each([
    ["that the caller names", { maxTotalTimeoutMs: 2_500 }, 2_500],
    ["of an hour", {}, 3_600_000],
  ])("never stretches a request beyond a maximum %s", async (_what, own, limitMs) => {
    const scripted = scriptedPool();
    const { pool, connector, clock } = scripted;
    connector.onRequest.always(manual());
    const timeoutMs = limitMs / 2.5;
    const call = outcomeOf(pool.request("ping", undefined, { timeoutMs, resetTimeoutOnProgress: true, ...own }));
    for (let step = 1; step <= 4; step++) {
      await clock.advance(limitMs / 5);
      report(scripted, step);
    }
    await clock.advance(limitMs / 5 - 1);
    expect(call.state).toBe("pending");
    await clock.advance(1);
    expect(call.error).toMatchObject({ code: "TIMEOUT" });
  });

  it("gives an attempt its time anew, too, and obeys a plugin that bounds the whole", async () => {
    const bound: PoolPlugin = {
      name: "bound",
      install: ({ clock }) => ({
        request: (next) => (request) => {
          if (request.stretch !== undefined) request.stretch.latestAt = clock.now() + 1_000;
          return next(request);
        },
      }),
    };
    const scripted = scriptedPool({ attemptTimeoutMs: 300, plugins: [bound] });
    const { pool, connector, clock } = scripted;
    connector.onRequest.always(manual());
    const call = outcomeOf(pool.request("ping", undefined, { timeoutMs: 600, resetTimeoutOnProgress: true }));
    for (let step = 1; step <= 4; step++) {
      await clock.advance(240);
      report(scripted, step);
    }
    expect(call.state).toBe("pending");
    await clock.advance(40);
    expect(call.error).toMatchObject({ code: "TIMEOUT" });
  });

  it("refuses a maximum that is none", async () => {
    const { pool } = scriptedPool();
    await expect(pool.request("ping", undefined, { maxTotalTimeoutMs: 0 })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      issues: [{ path: "maxTotalTimeoutMs" }],
    });
  });
});
