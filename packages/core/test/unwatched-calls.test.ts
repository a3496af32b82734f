import { expect, it, onTestFinished } from "vitest";
import type { RequestOptions } from "../src/index.ts";
import { ok } from "../src/testing/index.ts";
import { outcomeOf, type ScriptedPoolSetup, scriptedPool } from "./scripted-pool.ts";

const CALL = { name: "search" };

/** A pool that nobody listens to. */
function unwatchedPool(setup: ScriptedPoolSetup = {}) {
  const made = scriptedPool(setup);
  made.recorder.stop();
  return made;
}

it.each(["null", "5", "true"])("options that are %s are refused where nobody listens", async (text) => {
  const { pool, connector } = unwatchedPool();
  const options: RequestOptions = JSON.parse(text);
  const wrong = { code: "VALIDATION_FAILED", issues: [{ path: "options" }] };
  await expect(pool.client.callTool(CALL, options)).rejects.toMatchObject(wrong);
  expect(connector.connections).toEqual([]);
});

it("a call rejects, and does not throw, whatever its signal does", async () => {
  const { pool } = unwatchedPool();
  const broken = Object.defineProperty(new AbortController().signal, "aborted", {
    get() {
      throw new TypeError("Illegal invocation");
    },
  });
  const options = { signal: broken };
  const calls = [
    () => pool.client.callTool(CALL, options),
    () => pool.client.readResource({ uri: "a:b" }, options),
    () => pool.request("tools/call", CALL, options),
  ];
  for (const call of calls)
    await expect(Promise.resolve([call()]).then(([promise]) => promise)).rejects.toThrow("Illegal");
});

it("who listens from the time on at which headers are fetched sees what the server sent", async () => {
  const { pool, connector, clock } = unwatchedPool();
  connector.onRequest.always(ok({ content: "none" }));
  let give: (headers: Record<string, string>) => void = () => {};
  const headers = () =>
    new Promise<Record<string, string>>((resolve) => {
      give = resolve;
    });
  const call = outcomeOf(pool.client.callTool(CALL, { headers }));
  await clock.settle();
  const errors: unknown[] = [];
  pool.subscribe((event) => errors.push(event.type === "request-settled" ? event.error : event), ["request-settled"]);
  give({});
  await clock.settle();
  expect(call.error).toMatchObject({ code: "VALIDATION_FAILED" });
  expect(errors).toEqual([undefined]);
});

it("a bad result at once and after a wait costs nothing but its call", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  const { pool, connector, clock } = unwatchedPool({ maxConnections: 1, connector: { concurrency: 1 } });
  connector.onRequest.always(ok({ content: "none" }));
  const calls = [1, 2, 3].map(() => outcomeOf(pool.client.callTool(CALL)));
  await clock.settle();
  calls.push(outcomeOf(pool.client.callTool(CALL)));
  await clock.settle();
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls.map(({ error }) => error)).toMatchObject(
    calls.map(() => ({ code: "VALIDATION_FAILED", message: expect.stringContaining('"files"') })),
  );
  expect(pool.stats()).toMatchObject({
    inFlight: 0,
    counters: { requests: 4, requestErrors: 0, errors: { validation: 0 } },
  });
  expect(unhandled).toEqual([]);
});
