import { describe, expect, it } from "vitest";
import type { Timer } from "../clock.ts";
import { McpConnectionError } from "../errors.ts";
import type { PoolPlugin } from "../plugin.ts";
import { pluginContract } from "./plugin-contract.ts";

/** Looks at everything a plugin may look at, and disposes of everything it started. */
function tidy(): PoolPlugin {
  return {
    name: "tidy",
    install(pool) {
      let timer: Timer | undefined;
      const look = () => {
        pool.stats();
        pool.connections();
        pool.leases();
        timer?.cancel();
        timer = pool.clock.setTimer(look, 1_000);
      };
      look();
      pool.trackLeases();
      const unsubscribe = pool.subscribe(look);
      return {
        admit: () => undefined,
        connect: (next) => next,
        request: (next) => (request) => next(request),
        handle: {},
        dispose() {
          timer?.cancel();
          unsubscribe();
        },
      };
    },
  };
}

/** Runs all cases and returns the names of those that fail. */
async function broken(plugin: Partial<PoolPlugin>): Promise<string[]> {
  const names: string[] = [];
  for (const { name, run } of pluginContract(() => ({ name: "broken", install: () => ({}), ...plugin }))) {
    await run().catch(() => names.push(name));
  }
  return names;
}

describe("pluginContract", () => {
  it.each(pluginContract(tidy))("$name", ({ run }) => run());

  it("is content with a plugin that does nothing", async () => {
    expect(await broken({})).toEqual([]);
  });

  it("finds a plugin without a proper name", async () => {
    expect(await broken({ name: "My Plugin" })).toEqual(["has a name"]);
  });

  it("finds a plugin that copies results", async () => {
    const install: PoolPlugin["install"] = () => ({
      request: (next) => async (request) => ({ ...((await next(request)) as object) }),
    });
    expect(await broken({ install })).toEqual(["hands on results as they are, tool errors included"]);
  });

  it("finds a plugin that wraps errors, or sends what was answered again", async () => {
    const wraps: PoolPlugin["install"] = () => ({
      request: (next) => (request) =>
        next(request).catch((cause: unknown) => Promise.reject(new Error("wrapped", { cause }))),
    });
    const repeats: PoolPlugin["install"] = () => ({
      request: (next) => (request) => next(request).catch(() => next(request)),
    });
    expect(await broken({ install: wraps })).toEqual([
      "hands on the server's own errors as they are, and sends nothing twice for them",
      "lets a caller's abort through, with the signal's reason",
    ]);
    expect(await broken({ install: repeats })).toContain(
      "hands on the server's own errors as they are, and sends nothing twice for them",
    );
  });

  it("finds a plugin whose pools share state", async () => {
    let failures = 0;
    const install: PoolPlugin["install"] = () => ({
      admit: () => (failures > 5 ? new McpConnectionError("too many failures") : undefined),
      connect: (next) => (request) =>
        next(request).catch((error: unknown) => {
          failures++;
          throw error;
        }),
    });
    expect(await broken({ install })).toContain("keeps the pools apart in which it is installed");
  });

  it("finds a plugin that leaves a timer or a listener behind", async () => {
    const behind = "leaves no timer and no listener behind, and is not disposed before the pool is closed";
    const timer: PoolPlugin["install"] = ({ clock }) => {
      clock.setTimer(() => {}, 1e9);
      return {};
    };
    const listener: PoolPlugin["install"] = (pool) => {
      pool.subscribe(() => {});
      return {};
    };
    expect(await broken({ install: timer })).toContain(behind);
    expect(await broken({ install: listener })).toContain(behind);
  });
});
